/* Whether a GPU answers: NVIDIA's driver is asked, which takes 0.1 ms where there is none. Nothing of CUDA's is needed
 * for it. */
#ifndef SB_NN_DRIVER_H
#define SB_NN_DRIVER_H

/* How many GPUs there are. 0 with a recorded error that says what is missing. */
int sb_driver_gpus(void);

#endif

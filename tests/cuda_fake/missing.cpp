/* Ops that no .cu file has yet are the reference's. To be removed when all are there. */
#include "kernels/cuda/kernel.h"
extern "C" {
#include "kernels/ref/ref.h"
}

#include <tuple>

static struct sb_dev *ref;

template <typename T> struct kept {
    T value;
    kept(T from) : value(from) {}
    T get() const { return value; }
};
template <> struct kept<sb_in> {
    struct sb_tensor value;
    bool there;
    kept(sb_in from) : value(from ? *from : sb_tensor{}), there(from) {}
    sb_in get() const { return there ? &value : NULL; }
};

template <auto fn> struct through;
template <typename R, typename... A, R (*fn)(struct sb_dev *, A...)> struct through<fn> {
    static R call(struct sb_dev *d, A... a)
    {
        (void)d;
        if (!ref) ref = sb_ref_open(0, 0, NULL);
        if constexpr (std::is_void_v<R>) {
            std::tuple<kept<A>...> all(a...);
            cusim_queue(d->stream, [all] { std::apply([](const kept<A> &...one) { fn(ref, one.get()...); }, all); });
        } else {
            return fn(ref, a...);
        }
    }
};

#define MISSING(op)                                                                                                    \
    extern "C" {                                                                                                       \
    __attribute__((visibility("hidden"), used)) void *missing_##op = (void *)&through<sb_ref_##op>::call;              \
    }                                                                                                                  \
    asm(".text\n.weak sb_cuda_" #op "\n.hidden sb_cuda_" #op "\n.type sb_cuda_" #op ", @function\nsb_cuda_" #op        \
        ": jmp *missing_" #op "(%rip)\n");
MISSING(nearest)
MISSING(nearest_sum)

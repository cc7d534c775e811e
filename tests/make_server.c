/* A live source that breaks off, for tests/frames.bats: make_server TIMES FILE. It listens at a port of this machine, which it
 * prints, sends the file to each of the first TIMES callers, breaks off, and is gone. */
#include <arpa/inet.h>
#include <err.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void send_file(int to, const char *path)
{
    char bytes[65536];
    size_t n;
    FILE *f = fopen(path, "rb");
    if (!f) err(1, "%s", path);
    while ((n = fread(bytes, 1, sizeof bytes, f)) > 0)
        if (send(to, bytes, n, MSG_NOSIGNAL) < 0) break;
    fclose(f);
}

int main(int argc, char **argv)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    if (argc != 3) errx(2, "usage: make_server TIMES FILE");
    int s = socket(AF_INET, SOCK_STREAM, 0);
    if (s < 0 || bind(s, (struct sockaddr *)&at, size) < 0 || listen(s, 4) < 0) err(1, "socket");
    if (getsockname(s, (struct sockaddr *)&at, &size) < 0) err(1, "socket");
    printf("%d\n", ntohs(at.sin_port));
    fflush(stdout);
    for (int i = atoi(argv[1]); i > 0; i--) {
        int to = accept(s, NULL, NULL);
        if (to < 0) err(1, "accept");
        send_file(to, argv[2]);
        close(to);
    }
    return 0;
}

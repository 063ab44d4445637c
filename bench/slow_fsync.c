/* LD_PRELOAD shim: counts every fsync and fdatasync and makes each last slow_fsync_us microseconds longer. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <unistd.h>

long slow_fsync_us = 0;
long slow_fsync_calls = 0;

static int slowly(const char *name, int fd) {
    __sync_fetch_and_add(&slow_fsync_calls, 1);
    if (slow_fsync_us > 0) usleep(slow_fsync_us);
    return ((int (*)(int))dlsym(RTLD_NEXT, name))(fd);
}

int fsync(int fd) { return slowly("fsync", fd); }
int fdatasync(int fd) { return slowly("fdatasync", fd); }

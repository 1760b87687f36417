"""What a power cut leaves on a disk: every file as it was when it was last synced, and nothing that was written since.

A shim before the C library copies each file aside when a program syncs it, and removes what is gone when the directory
is synced. For programs whose files lie in one directory; Linux with a C compiler only.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

_SHIM = r"""
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void remove_what_is_gone(const char *folder, const char *name) {
    char here[8192], there[8192];
    DIR *kept = opendir(folder);
    struct dirent *each;
    while (kept != NULL && (each = readdir(kept)) != NULL) {
        snprintf(there, sizeof there, "%s/%s", name, each->d_name);
        snprintf(here, sizeof here, "%s/%s", folder, each->d_name);
        if (each->d_name[0] != '.' && strstr(each->d_name, ".part") == NULL && access(there, F_OK) != 0) unlink(here);
    }
    if (kept != NULL) closedir(kept);
}

static void keep(int fd) {
    const char *folder = getenv("POWER_FOLDER");
    char link[64], name[4096], beside[8192], final[8192], block[65536];
    struct stat found;
    if (folder == NULL || fstat(fd, &found) != 0) return;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, name, sizeof name - 1);
    if (length <= 0) return;
    name[length] = 0;
    if (S_ISDIR(found.st_mode)) remove_what_is_gone(folder, name);
    if (!S_ISREG(found.st_mode)) return;
    const char *base = strrchr(name, '/') + 1;
    snprintf(final, sizeof final, "%s/%s", folder, base);
    snprintf(beside, sizeof beside, "%s.%d.part", final, (int)gettid());
    int out = open(beside, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (out < 0) return;
    off_t at = 0;
    ssize_t got;
    while ((got = pread(fd, block, sizeof block, at)) > 0) {
        if (write(out, block, got) != got) abort();
        at += got;
    }
    close(out);
    rename(beside, final);
}

int fsync(int fd) {
    int (*real)(int) = dlsym(RTLD_NEXT, "fsync");
    int done = real(fd);
    if (done == 0) keep(fd);
    return done;
}

int fdatasync(int fd) {
    int (*real)(int) = dlsym(RTLD_NEXT, "fdatasync");
    int done = real(fd);
    if (done == 0) keep(fd);
    return done;
}
"""


class Power:
    """A folder with the files of a program as a power cut would leave them; `environment` is for that program."""

    def __init__(self, directory: Path) -> None:
        """Says that it did not run where there is no C compiler."""
        compiler = shutil.which("cc")
        if compiler is None:
            pytest.skip("there is no C compiler (cc): what a power cut leaves was not tried")
        self.folder = directory / "synced"
        self.folder.mkdir()
        source, shim = directory / "shim.c", directory / "shim.so"
        source.write_text(_SHIM, encoding="utf-8")
        command = [compiler, "-shared", "-fPIC", "-O1", "-w", "-o", str(shim), str(source), "-ldl"]
        subprocess.run(command, check=True)
        self.environment = {"LD_PRELOAD": str(shim), "POWER_FOLDER": str(self.folder)}

    def after_the_cut(self, directory: Path) -> Path:
        """The files, in a new directory."""
        shutil.copytree(self.folder, directory, ignore=shutil.ignore_patterns("*.part"))
        return directory

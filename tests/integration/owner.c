/* The owner of a workspace, who never leaves it alone: owner HOW WORKSPACE NUMBER.
 *
 * Becomes nobody, says "ready" once the attack is under way, and goes on until killed, or for five minutes. The workspace
 * stays open, so that it is found wherever it is moved. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FOLDERS = 300, DIR_FLAGS = O_RDONLY | O_DIRECTORY };
static int root, number;

static void ready(void) {
    static int said;
    if (!said++) {
        puts("ready");
        fflush(stdout);
    }
}

/* Fills a directory of its own, and sets the root's time far ahead. */
static void fill(void) {
    char dir_name[32], name[32];
    snprintf(dir_name, sizeof dir_name, "d%d", number);
    for (unsigned long n = 0;;) {
        struct timespec in_2090[2] = {{3786912000, 0}, {3786912000, 0}};
        mkdirat(root, dir_name, 0755);
        futimens(root, in_2090);
        int dir = openat(root, dir_name, DIR_FLAGS);
        for (int i = 0; dir >= 0 && i < 2000; i++) {
            snprintf(name, sizeof name, "f%lu", n++);
            int file = openat(dir, name, O_CREAT | O_WRONLY | O_EXCL, 0644);
            if (file < 0)
                break;
            close(file);
        }
        if (dir >= 0)
            close(dir);
        ready();
    }
}

/* Fills the root with names like those of the application's temporary files. */
static void stage(void) {
    char name[64];
    for (unsigned long n = 0;; n++) {
        snprintf(name, sizeof name, ".metadata.tmp.%d.%lu.json", number, n);
        int file = openat(root, name, O_CREAT | O_WRONLY | O_EXCL, 0644);
        if (file >= 0)
            close(file);
        if (n == 2000)
            ready();
    }
}

/* Gives an inode, which it keeps in a directory "kept" beside the workspace, more and more names in the workspace. */
static void relink(void) {
    char dir_name[32], name[32];
    snprintf(dir_name, sizeof dir_name, "d%d", number);
    mkdirat(root, "../kept", 0755);
    int kept = openat(root, "../kept", DIR_FLAGS);
    close(openat(kept, dir_name, O_CREAT | O_WRONLY, 0644));
    for (unsigned long n = 0;;) {
        mkdirat(root, dir_name, 0755);
        int dir = openat(root, dir_name, DIR_FLAGS);
        for (int i = 0; i < 1000; i++) {
            snprintf(name, sizeof name, "%d.%lu", number, n++);
            linkat(kept, dir_name, i % 2 && dir >= 0 ? dir : root, name, 0);
        }
        if (dir >= 0)
            close(dir);
        ready();
    }
}

/* Extends a chain of directories at its tip, and begins a new one where that is gone. */
static void extend(void) {
    char top[32];
    for (unsigned long n = 0;; n++) {
        snprintf(top, sizeof top, "chain%d.%lu", number, n);
        int tip = mkdirat(root, top, 0755) ? -1 : openat(root, top, DIR_FLAGS);
        for (unsigned long level = 0; tip >= 0; level++) {
            int next = mkdirat(tip, "d", 0755) ? -1 : openat(tip, "d", DIR_FLAGS);
            if (next < 0 && errno == ENOSPC)
                continue;
            close(tip);
            tip = next;
            if (level == 1000)
                ready();
        }
    }
}

/* Moves what is named "large" and "dir" from one of many directories to another. */
static void shuffle(void) {
    static int folders[FOLDERS];
    int from[2] = {0, 0};
    const char *names[2] = {"large", "dir"};
    char name[32];
    for (int i = 0; i < FOLDERS; i++) {
        snprintf(name, sizeof name, "%d", i);
        folders[i] = openat(root, name, DIR_FLAGS);
    }
    for (int i = 0;; i = !i) {
        int to = rand() % FOLDERS;
        if (renameat(folders[from[i]], names[i], folders[to], names[i]) == 0)
            from[i] = to;
        ready();
    }
}

int main(int count, char **words) {
    struct {
        const char *name;
        void (*attack)(void);
    } ways[] = {{"fill", fill}, {"stage", stage}, {"relink", relink}, {"extend", extend}, {"shuffle", shuffle}};
    if (count != 4 || setgroups(0, NULL) || setgid(65534) || setuid(65534))
        return 1;
    alarm(300);
    number = atoi(words[3]);
    root = open(words[2], DIR_FLAGS);
    for (size_t i = 0; root >= 0 && i < sizeof ways / sizeof *ways; i++)
        if (strcmp(ways[i].name, words[1]) == 0)
            ways[i].attack();
    return 1;
}

/*
 * A disk that loses whatever was not synced, and a power switch.
 *
 * Preloaded into a process it keeps, for the files in one directory, what a power cut could not take: the content of
 * each inode at its last fsync, and the names at the last fsync of the directory. power_kill_at(n) kills the process
 * just before its n-th change to a file in that directory; power_fail_syncs(n) and power_fail_writes(n) make the next n
 * syncs (EIO) and writes (ENOSPC) fail.
 *
 * POWER_DIR names the directory, POWER_SHADOW where to keep the copies: "ino-<number>" and "names".
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static long kill_at = 0, changes = 0, syncs = 0, failing_syncs = 0, failing_writes = 0;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

#define REAL(name, type) ((type)dlsym(RTLD_NEXT, name))
typedef int (*fd_fn)(int);
typedef ssize_t (*pwrite_fn)(int, const void *, size_t, off64_t);
typedef ssize_t (*write_fn)(int, const void *, size_t);
typedef int (*truncate_fn)(int, off64_t);
typedef int (*rename_fn)(const char *, const char *);
typedef int (*unlink_fn)(const char *);

void power_kill_at(long n) { changes = 0; kill_at = n; }
void power_fail_syncs(long n) { failing_syncs = n; }
void power_fail_writes(long n) { failing_writes = n; }
long power_changes(void) { return changes; }
long power_syncs(void) { return syncs; }

static int watched(const char *path) {
  const char *dir = getenv("POWER_DIR");
  return dir && strncmp(path, dir, strlen(dir)) == 0;
}

static int path_of(int fd, char *path) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t n = readlink(link, path, PATH_MAX - 1);
  if (n < 0) return 0;
  path[n] = 0;
  return watched(path);
}

static void change(void) {
  long n = __atomic_add_fetch(&changes, 1, __ATOMIC_SEQ_CST);
  if (kill_at && n == kill_at) raise(SIGKILL);
}

/* Whether the change may happen. */
static int change_fd(int fd) {
  char path[PATH_MAX];
  if (!path_of(fd, path) || strstr(path, "-shm")) return 1;
  change();
  if (failing_writes <= 0) return 1;
  failing_writes--;
  errno = ENOSPC;
  return 0;
}

static void keep_file(int fd, ino_t inode) {
  const char *shadow = getenv("POWER_SHADOW");
  char to[PATH_MAX], part[PATH_MAX], buffer[1 << 16];
  snprintf(to, sizeof to, "%s/ino-%lu", shadow, (unsigned long)inode);
  snprintf(part, sizeof part, "%s/part", shadow);
  char from[64];
  snprintf(from, sizeof from, "/proc/self/fd/%d", fd);
  int in = open(from, O_RDONLY | O_CLOEXEC), out = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  off64_t at = 0;
  for (ssize_t n; (n = pread64(in, buffer, sizeof buffer, at)) > 0; at += n)
    REAL("pwrite64", pwrite_fn)(out, buffer, n, at);
  close(in);
  close(out);
  REAL("rename", rename_fn)(part, to);
}

static void keep_names(const char *path) {
  const char *shadow = getenv("POWER_SHADOW");
  char to[PATH_MAX], part[PATH_MAX];
  snprintf(to, sizeof to, "%s/names", shadow);
  snprintf(part, sizeof part, "%s/names.part", shadow);
  FILE *out = fopen(part, "we");
  DIR *dir = opendir(path);
  for (struct dirent *each; dir && (each = readdir(dir));)
    if (each->d_type == DT_REG) fprintf(out, "%lu %s\n", (unsigned long)each->d_ino, each->d_name);
  if (dir) closedir(dir);
  fclose(out);
  REAL("rename", rename_fn)(part, to);
}

static int sync_fd(const char *name, int fd) {
  char path[PATH_MAX];
  int is_watched = path_of(fd, path);
  if (is_watched) change();
  if (is_watched && failing_syncs > 0) {
    failing_syncs--;
    errno = EIO;
    return -1;
  }
  int result = REAL(name, fd_fn)(fd);
  if (result == 0 && is_watched && getenv("POWER_SHADOW")) {
    struct stat about;
    fstat(fd, &about);
    pthread_mutex_lock(&lock);
    syncs++;
    if (S_ISDIR(about.st_mode)) keep_names(path);
    else keep_file(fd, about.st_ino);
    pthread_mutex_unlock(&lock);
  }
  return result;
}

int fsync(int fd) { return sync_fd("fsync", fd); }
int fdatasync(int fd) { return sync_fd("fdatasync", fd); }

ssize_t pwrite64(int fd, const void *data, size_t n, off64_t at) {
  if (!change_fd(fd)) return -1;
  return REAL("pwrite64", pwrite_fn)(fd, data, n, at);
}
ssize_t pwrite(int fd, const void *data, size_t n, off_t at) { return pwrite64(fd, data, n, at); }
ssize_t write(int fd, const void *data, size_t n) {
  if (!change_fd(fd)) return -1;
  return REAL("write", write_fn)(fd, data, n);
}
int ftruncate64(int fd, off64_t size) {
  if (!change_fd(fd)) return -1;
  return REAL("ftruncate64", truncate_fn)(fd, size);
}
int ftruncate(int fd, off_t size) { return ftruncate64(fd, size); }
int rename(const char *from, const char *to) {
  if (watched(to)) change();
  return REAL("rename", rename_fn)(from, to);
}
int unlink(const char *path) {
  if (watched(path)) change();
  return REAL("unlink", unlink_fn)(path);
}

// SPDX-License-Identifier: Apache-2.0
//
// A read-only filesystem that makes every answer wait: what a walk meets on a network.
//
//   latency_fs [--entries N] [--per-directory N] [--delay MICROSECONDS] [--timeout SECONDS]
//              [--stop-answering PATH [--interruptible]] MOUNTPOINT
//
// The tree is arithmetic, nothing is stored. Directory d (the root is 0) holds the entries d*P to
// d*P+P-1, where P is --per-directory; the first ones are subdirectories, kFan at most: the parent
// of directory d is (d-1)/kFan. Entry e has inode e+2 and the name "directoryD" or "fileE".
//
// Lookup, getattr, opendir and readdir each are answered --delay after they came, however many wait:
// a request goes to the end of a queue, whose front one thread answers when it is due. All wait
// equally long, so that the queue is in order. --timeout is how long the kernel may keep names and
// attributes, by default not at all: so a stat by name is a lookup and a getattr.
//
// Below --stop-answering, and there itself for what opens or lists, no answer ever comes. Who waits
// for one can be killed only with --interruptible, which is how NFS with `soft` or `intr` behaves.
//
// In the foreground; prints "mounted" when it is, and unmounts on SIGTERM and SIGINT.
#define FUSE_USE_VERSION 312
#define _GNU_SOURCE
#include <errno.h>
#include <fuse3/fuse_lowlevel.h>
#include <getopt.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { kFan = 10, kReaders = 4, kNowhere = 0 };

// --- the tree --------------------------------------------------------------------------------------

static unsigned long g_entries = 5000;
static unsigned long g_per_directory = 50;
static unsigned long g_directories;  // with the root
static double g_timeout = 0;

static unsigned long fan(void) { return g_per_directory < kFan ? g_per_directory : kFan; }

static fuse_ino_t inode_of_directory(unsigned long directory) {
  if (directory == 0) {
    return FUSE_ROOT_ID;
  }
  const unsigned long parent = (directory - 1) / fan();
  return parent * g_per_directory + (directory - 1) % fan() + 2;
}

// The number of the directory that has this inode, or -1 of a file.
static long directory_of(fuse_ino_t inode) {
  if (inode == FUSE_ROOT_ID) {
    return 0;
  }
  const unsigned long entry = inode - 2;
  const unsigned long place = entry % g_per_directory;
  const unsigned long directory = entry / g_per_directory * fan() + place + 1;
  return place < fan() && directory < g_directories ? (long)directory : -1;
}

static unsigned long children_of(unsigned long directory) {
  const unsigned long begin = directory * g_per_directory;
  if (begin >= g_entries) {
    return 0;
  }
  return g_entries - begin < g_per_directory ? g_entries - begin : g_per_directory;
}

static void name_of(fuse_ino_t inode, char name[32]) {
  const long directory = directory_of(inode);
  if (directory >= 0) {
    snprintf(name, 32, "directory%ld", directory);
  } else {
    snprintf(name, 32, "file%lu", (unsigned long)inode - 2);
  }
}

// kNowhere if there is nothing of that name.
static fuse_ino_t look_up(fuse_ino_t parent, const char* name) {
  const long directory = directory_of(parent);
  unsigned long number = 0;
  fuse_ino_t inode = kNowhere;
  char right[32];
  if (sscanf(name, "directory%lu", &number) == 1 && number > 0 && number < g_directories) {
    inode = inode_of_directory(number);
  } else if (sscanf(name, "file%lu", &number) == 1 && number < g_entries) {
    inode = number + 2;
  }
  if (directory < 0 || inode == kNowhere ||
      (inode - 2) / g_per_directory != (unsigned long)directory) {
    return kNowhere;
  }
  name_of(inode, right);
  return strcmp(name, right) == 0 ? inode : kNowhere;
}

static struct stat attributes_of(fuse_ino_t inode) {
  const long directory = directory_of(inode);
  struct stat info = {.st_ino = inode, .st_blksize = 4096};
  if (directory >= 0) {
    info.st_mode = S_IFDIR | 0555;
    info.st_nlink = 2;
    for (unsigned long i = 0; i < fan(); ++i) {
      info.st_nlink += (unsigned long)directory * fan() + i + 1 < g_directories;
    }
    info.st_size = 4096;
  } else {
    info.st_mode = S_IFREG | 0444;
    info.st_nlink = 1;
    info.st_size = (off_t)((inode * 2654435761UL) % 65536);
  }
  info.st_blocks = (info.st_size + 4095) / 4096 * 8;
  return info;
}

// --- answers ---------------------------------------------------------------------------------------

struct answer {
  struct answer* next;
  fuse_req_t request;
  struct timespec due;
  enum { kError, kEntry, kAttributes, kOpen, kListing } kind;
  fuse_ino_t inode;
  int error;
  struct fuse_file_info file;
  size_t size;  // the most that a listing may have
  off_t offset;
};

static struct timespec g_delay = {0, 1000000};
static fuse_ino_t g_dead = kNowhere;
static bool g_interruptible = false;

static pthread_mutex_t g_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t g_pushed = PTHREAD_COND_INITIALIZER;
static struct answer* g_front = NULL;
static struct answer** g_back = &g_front;
static bool g_over = false;

static void give_listing(const struct answer* answer) {
  char* buffer = malloc(answer->size);
  size_t used = 0;
  const unsigned long directory = (unsigned long)directory_of(answer->inode);
  const unsigned long count = children_of(directory) + 2;
  for (unsigned long i = (unsigned long)answer->offset; buffer != NULL && i < count; ++i) {
    char name[32] = ".";
    struct stat info = {.st_ino = answer->inode, .st_mode = S_IFDIR};
    if (i == 1) {
      strcpy(name, "..");
    } else if (i > 1) {
      info.st_ino = directory * g_per_directory + i - 2 + 2;
      info.st_mode = directory_of(info.st_ino) >= 0 ? S_IFDIR : S_IFREG;
      name_of(info.st_ino, name);
    }
    const size_t need = fuse_add_direntry(answer->request, buffer + used, answer->size - used, name,
                                          &info, (off_t)i + 1);
    if (need > answer->size - used) {
      break;
    }
    used += need;
  }
  fuse_reply_buf(answer->request, buffer, used);
  free(buffer);
}

static void give(const struct answer* answer) {
  switch (answer->kind) {
    case kError:
      fuse_reply_err(answer->request, answer->error);
      break;
    case kEntry: {
      const struct fuse_entry_param entry = {.ino = answer->inode,
                                             .attr = attributes_of(answer->inode),
                                             .attr_timeout = g_timeout,
                                             .entry_timeout = g_timeout};
      fuse_reply_entry(answer->request, &entry);
      break;
    }
    case kAttributes: {
      const struct stat info = attributes_of(answer->inode);
      fuse_reply_attr(answer->request, &info, g_timeout);
      break;
    }
    case kOpen:
      fuse_reply_open(answer->request, &answer->file);
      break;
    case kListing:
      give_listing(answer);
      break;
  }
}

static void* give_what_is_due(void* unused) {
  (void)unused;
  pthread_mutex_lock(&g_mutex);
  while (g_front != NULL || !g_over) {
    struct answer* answer = g_front;
    if (answer == NULL) {
      pthread_cond_wait(&g_pushed, &g_mutex);
      continue;
    }
    g_front = answer->next;
    if (g_front == NULL) {
      g_back = &g_front;
    }
    const bool over = g_over;
    pthread_mutex_unlock(&g_mutex);
    if (!over) {
      while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &answer->due, NULL) == EINTR) {
      }
    }
    give(answer);
    free(answer);
    pthread_mutex_lock(&g_mutex);
  }
  pthread_mutex_unlock(&g_mutex);
  return NULL;
}

static void push(struct answer contents) {
  struct answer* answer = malloc(sizeof *answer);
  if (answer == NULL) {
    fuse_reply_err(contents.request, ENOMEM);
    return;
  }
  *answer = contents;
  pthread_mutex_lock(&g_mutex);  // also around the clock, so that the queue is in order
  clock_gettime(CLOCK_MONOTONIC, &answer->due);
  answer->due.tv_sec += g_delay.tv_sec;
  answer->due.tv_nsec += g_delay.tv_nsec;
  if (answer->due.tv_nsec >= 1000000000) {
    answer->due.tv_nsec -= 1000000000;
    ++answer->due.tv_sec;
  }
  *g_back = answer;
  g_back = &answer->next;
  pthread_cond_signal(&g_pushed);
  pthread_mutex_unlock(&g_mutex);
}

static void give_up(fuse_req_t request, void* unused) {
  (void)unused;
  fuse_reply_err(request, EINTR);
}

// Whether the request is one of those that are never answered.
static bool is_dead(fuse_req_t request, fuse_ino_t directory) {
  if (g_dead == kNowhere || directory != g_dead) {
    return false;
  }
  if (g_interruptible) {
    fuse_req_interrupt_func(request, give_up, NULL);
  }
  return true;
}

// --- requests --------------------------------------------------------------------------------------

static void on_lookup(fuse_req_t request, fuse_ino_t parent, const char* name) {
  if (!is_dead(request, parent)) {
    const fuse_ino_t inode = look_up(parent, name);
    push((struct answer){.request = request,
                         .kind = inode == kNowhere ? kError : kEntry,
                         .inode = inode,
                         .error = ENOENT});
  }
}

static void on_getattr(fuse_req_t request, fuse_ino_t inode, struct fuse_file_info* file) {
  (void)file;
  push((struct answer){.request = request, .kind = kAttributes, .inode = inode});
}

static void on_opendir(fuse_req_t request, fuse_ino_t inode, struct fuse_file_info* file) {
  if (!is_dead(request, inode)) {
    push((struct answer){.request = request, .kind = kOpen, .file = *file});
  }
}

static void on_readdir(fuse_req_t request, fuse_ino_t inode, size_t size, off_t offset,
                       struct fuse_file_info* file) {
  (void)file;
  push((struct answer){
      .request = request, .kind = kListing, .inode = inode, .size = size, .offset = offset});
}

static const struct fuse_lowlevel_ops kOperations = {.lookup = on_lookup,
                                                     .getattr = on_getattr,
                                                     .opendir = on_opendir,
                                                     .readdir = on_readdir};

// --- main ------------------------------------------------------------------------------------------

static void fail(const char* what, const char* about) {
  fprintf(stderr, "latency_fs: %s%s\n", what, about);
  exit(2);
}

static unsigned long number_in(const char* text, unsigned long least) {
  char* end = NULL;
  errno = 0;
  const unsigned long number = strtoul(text, &end, 10);
  if (errno != 0 || end == text || *end != 0 || text[0] == '-' || number < least ||
      number > 1000000000) {
    fail("not a number that fits here: ", text);
  }
  return number;
}

// Inode of a directory given by its path from the root of the tree.
static fuse_ino_t inode_of_path(const char* path) {
  char* copy = strdup(path);
  char* rest = copy;
  fuse_ino_t inode = FUSE_ROOT_ID;
  for (char* name; inode != kNowhere && (name = strsep(&rest, "/")) != NULL;) {
    if (*name != 0) {
      inode = look_up(inode, name);
    }
  }
  free(copy);
  if (inode == kNowhere || directory_of(inode) < 0) {
    fail("no such directory in the tree: ", path);
  }
  return inode;
}

int main(int argc, char** argv) {
  static const struct option kOptions[] = {{"entries", required_argument, NULL, 'e'},
                                           {"per-directory", required_argument, NULL, 'p'},
                                           {"delay", required_argument, NULL, 'd'},
                                           {"timeout", required_argument, NULL, 't'},
                                           {"stop-answering", required_argument, NULL, 's'},
                                           {"interruptible", no_argument, NULL, 'i'},
                                           {NULL, 0, NULL, 0}};
  const char* dead = NULL;
  for (int option; (option = getopt_long(argc, argv, "", kOptions, NULL)) != -1;) {
    switch (option) {
      case 'e':
        g_entries = number_in(optarg, 0);
        break;
      case 'p':
        g_per_directory = number_in(optarg, 2);
        break;
      case 'd': {
        const unsigned long delay = number_in(optarg, 0);
        g_delay = (struct timespec){(time_t)(delay / 1000000), (long)(delay % 1000000) * 1000};
        break;
      }
      case 't':
        g_timeout = (double)number_in(optarg, 0);
        break;
      case 's':
        dead = optarg;
        break;
      case 'i':
        g_interruptible = true;
        break;
      default:
        return 2;
    }
  }
  if (optind + 1 != argc) {
    fail("one mountpoint is needed", "");
  }
  g_directories = (g_entries + g_per_directory - 1) / g_per_directory;
  g_directories = g_directories == 0 ? 1 : g_directories;
  if (dead != NULL) {
    g_dead = inode_of_path(dead);
  }
  prctl(PR_SET_TIMERSLACK, 1UL);  // threads inherit it

  char* arguments[] = {argv[0], (char*)"-o", (char*)"ro,fsname=latency_fs,subtype=latency", NULL};
  struct fuse_args args = FUSE_ARGS_INIT(3, arguments);
  struct fuse_session* session = fuse_session_new(&args, &kOperations, sizeof kOperations, NULL);
  if (session == NULL || fuse_set_signal_handlers(session) != 0) {
    return 1;
  }
  if (fuse_session_mount(session, argv[optind]) != 0) {
    return 1;
  }
  puts("mounted");
  fflush(stdout);
  pthread_t thread;
  if (pthread_create(&thread, NULL, give_what_is_due, NULL) != 0) {
    fuse_session_unmount(session);
    return 1;
  }
  struct fuse_loop_config* config = fuse_loop_cfg_create();
  fuse_loop_cfg_set_max_threads(config, kReaders);
  const int error = fuse_session_loop_mt(session, config);
  fuse_loop_cfg_destroy(config);
  pthread_mutex_lock(&g_mutex);
  g_over = true;
  pthread_cond_signal(&g_pushed);
  pthread_mutex_unlock(&g_mutex);
  pthread_join(thread, NULL);
  // What was never answered ends here, with ENOTCONN.
  fuse_session_unmount(session);
  fuse_remove_signal_handlers(session);
  fuse_session_destroy(session);
  return error < 0 ? 1 : 0;
}

/* Tells the thread sanitizer about the slow path of Swift's Mutex.
 *
 * A contended Mutex is handed over by the kernel (FUTEX_LOCK_PI) inside a library that is not instrumented, so the
 * sanitizer sees no order between the two holders and reports races that are none. Preloaded by scripts/sanitize. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <linux/futex.h>
#include <stdarg.h>
#include <sys/syscall.h>

__attribute__((weak)) void __tsan_acquire(void *address);
__attribute__((weak)) void __tsan_release(void *address);

typedef long system_call(long, long, long, long, long, long, long);

long syscall(long number, ...) {
  static system_call *next;
  if (next == 0) next = (system_call *)dlsym(RTLD_NEXT, "syscall");
  long a[6];
  va_list list;
  va_start(list, number);
  for (int i = 0; i < 6; i++) a[i] = va_arg(list, long);
  va_end(list);

  long operation = number == SYS_futex ? (a[1] & FUTEX_CMD_MASK) : -1;
  if (operation == FUTEX_UNLOCK_PI && __tsan_release != 0) __tsan_release((void *)a[0]);
  long result = next(number, a[0], a[1], a[2], a[3], a[4], a[5]);
  int locks = operation == FUTEX_LOCK_PI || operation == FUTEX_TRYLOCK_PI;
  if (locks && result == 0 && __tsan_acquire != 0) __tsan_acquire((void *)a[0]);
  return result;
}

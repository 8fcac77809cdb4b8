/* Tells the thread sanitizer what orders the threads inside of Swift's libraries, which are not instrumented: without
 * this it reports races that are none. Preloaded by scripts/sanitize, in the place of the functions below. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdbool.h>
#include <stdint.h>

void __tsan_acquire(void *address) __attribute__((weak));
void __tsan_release(void *address) __attribute__((weak));

/* MARK: A contended Mutex. The fast paths are inlined into our code, where the sanitizer sees them. */

#define SWIFT __attribute__((swiftcall))
#define SELF __attribute__((swift_context)) void *handle
#define LOCK "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"
#define TRY_LOCK "$s15Synchronization12_MutexHandleV12_tryLockSlowSbyF"
#define UNLOCK "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"

SWIFT void lock_slow(uint32_t thread, SELF) __asm__(LOCK);
SWIFT bool try_lock_slow(SELF) __asm__(TRY_LOCK);
SWIFT void unlock_slow(SELF) __asm__(UNLOCK);

static void *next(const char *name) { return dlsym(RTLD_NEXT, name); }

SWIFT void lock_slow(uint32_t thread, SELF) {
  ((SWIFT void (*)(uint32_t, SELF))next(LOCK))(thread, handle);
  if (__tsan_acquire) __tsan_acquire(handle);
}

SWIFT bool try_lock_slow(SELF) {
  bool taken = ((SWIFT bool (*)(SELF))next(TRY_LOCK))(handle);
  if (taken && __tsan_acquire) __tsan_acquire(handle);
  return taken;
}

SWIFT void unlock_slow(SELF) {
  if (__tsan_release) __tsan_release(handle);
  ((SWIFT void (*)(SELF))next(UNLOCK))(handle);
}

/* MARK: A continuation that is resumed before its task awaits it. One that is resumed later goes through the executor,
   which tells the sanitizer itself. */

void *swift_task_getCurrent(void);
__attribute__((swiftasynccall)) void swift_continuation_await(void *context);
SWIFT void swift_continuation_resume(void *task);

__attribute__((swiftasynccall)) void swift_continuation_await(void *context) {
  if (__tsan_acquire) __tsan_acquire(swift_task_getCurrent());
  typedef __attribute__((swiftasynccall)) void await_function(void *);
  await_function *await = (await_function *)next("swift_continuation_await");
  __attribute__((musttail)) return await(context);
}

SWIFT void swift_continuation_resume(void *task) {
  if (__tsan_release) __tsan_release(task);
  ((SWIFT void (*)(void *))next("swift_continuation_resume"))(task);
}

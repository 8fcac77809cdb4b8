/* Memory of Lua states: the limit, and an allocator for small blocks. Lua makes and drops a few strings and userdata for
   each row that it reads; slabs of one state need no locks and no headers, which makes them faster than malloc. */
#include "state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* MARK: The limit */

size_t rh_memory_used(rh_state *S) { return memory_used(S); }
size_t rh_memory_limit(rh_state *S) { return S->limit; }
void rh_set_memory_limit(rh_state *S, size_t limit) { S->limit = limit; }

void rh_charge(rh_state *S, ptrdiff_t bytes) {
  size_t given_back = bytes < 0 ? (size_t)-bytes : 0;
  S->charged -= given_back < S->charged ? given_back : S->charged;
  if (bytes > 0) S->charged += (size_t)bytes;
}

void rh_fail_allocation(rh_state *S, uint64_t n) { S->fail_in = n; }

static bool refuses(rh_state *S, size_t growth) {
  if (S->host_depth > 0) return false; /* Swift frames may not be jumped over: the limit waits for their return */
  if (S->fail_in > 0 && --S->fail_in == 0) {
    S->fail_in = 1;
    return true;
  }
  return would_be_over_limit(S, growth);
}

/* MARK: Small blocks */

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WATCHED /* by the sanitizer, which knows malloc's blocks */
#endif
#endif

static bool is_small(size_t size) {
#ifdef WATCHED
  (void)size;
  return false;
#else
  return size <= RH_SMALL_STEP * RH_SMALL_SIZES;
#endif
}

enum { SLAB_SIZE = 1 << 14 };

typedef struct free_block {
  struct free_block *next;
} free_block;

/* Blocks of one size. Aligned to its own size, so that a block's address tells its slab. */
struct rh_slab {
  rh_slab *next, *previous; /* those of its size with free blocks; NULL in a full one */
  free_block *free;
  char *fresh; /* what was never given out */
  size_t live;
};

static size_t list_of(size_t size) { return (size - 1) / RH_SMALL_STEP; }
static size_t block_size(size_t list) { return (list + 1) * RH_SMALL_STEP; }
static rh_slab *slab_of(void *block) { return (rh_slab *)((uintptr_t)block & ~(uintptr_t)(SLAB_SIZE - 1)); }
static char *slab_end(rh_slab *slab) { return (char *)slab + SLAB_SIZE; }

static void link_slab(rh_slab **first, rh_slab *slab) {
  slab->previous = NULL;
  slab->next = *first;
  if (*first != NULL) (*first)->previous = slab;
  *first = slab;
}

static void unlink_slab(rh_slab **first, rh_slab *slab) {
  if (slab->previous != NULL) slab->previous->next = slab->next;
  if (slab->next != NULL) slab->next->previous = slab->previous;
  if (*first == slab) *first = slab->next;
}

static void empty_slab(rh_slab *slab) {
  slab->free = NULL;
  slab->fresh = (char *)slab + (sizeof *slab + RH_SMALL_STEP - 1) / RH_SMALL_STEP * RH_SMALL_STEP;
  slab->live = 0;
}

static void *take_small(rh_state *S, size_t size) {
  size_t list = list_of(size), length = block_size(list);
  rh_slab *slab = S->slabs[list];
  if (slab == NULL) {
    slab = aligned_alloc(SLAB_SIZE, SLAB_SIZE);
    if (slab == NULL) return NULL;
    empty_slab(slab);
    link_slab(&S->slabs[list], slab);
  }
  slab->live++;
  void *block = slab->free;
  if (block != NULL) {
    slab->free = slab->free->next;
  } else {
    block = slab->fresh;
    slab->fresh += length;
  }
  if (slab->free == NULL && (size_t)(slab_end(slab) - slab->fresh) < length) unlink_slab(&S->slabs[list], slab);
  return block;
}

static void give_small(rh_state *S, void *block, size_t size) {
  size_t list = list_of(size);
  rh_slab *slab = slab_of(block), **first = &S->slabs[list];
  bool was_full = slab->free == NULL && (size_t)(slab_end(slab) - slab->fresh) < block_size(list);
  free_block *freed = block;
  freed->next = slab->free;
  slab->free = freed;
  if (was_full) link_slab(first, slab);
  if (--slab->live > 0) return;
  if (*first == slab && slab->next == NULL) {
    empty_slab(slab); /* the last one is kept */
  } else {
    unlink_slab(first, slab);
    free(slab);
  }
}

void rh_free_slabs(rh_state *S) {
  for (size_t list = 0; list < RH_SMALL_SIZES; list++) free(S->slabs[list]);
}

/* MARK: The allocator */

/* The system has no memory left, and Lua's error would jump over Swift frames. */
static _Noreturn void give_up(void) {
  fputs("error[RH1208]: the system has no memory left\n", stderr);
  _Exit(1);
}

static void *take(rh_state *S, size_t size) { return is_small(size) ? take_small(S, size) : malloc(size); }

static void give(rh_state *S, void *block, size_t size) {
  if (is_small(size)) {
    give_small(S, block, size);
  } else {
    free(block);
  }
}

static void *resize(rh_state *S, void *block, size_t old_size, size_t new_size) {
  if (!is_small(old_size) && !is_small(new_size)) return realloc(block, new_size);
  if (is_small(old_size) && is_small(new_size) && list_of(old_size) == list_of(new_size)) return block;
  void *moved = take(S, new_size);
  if (moved == NULL) return NULL;
  memcpy(moved, block, old_size < new_size ? old_size : new_size);
  give(S, block, old_size);
  return moved;
}

void *rh_allocate(void *context, void *block, size_t old_size, size_t new_size) {
  rh_state *S = context;
  if (block == NULL) old_size = 0; /* it tells the kind of object that is being made */
  if (new_size == 0) {
    if (block != NULL) give(S, block, old_size);
    S->used -= old_size;
    return NULL;
  }
  if (new_size > old_size && refuses(S, new_size - old_size)) return NULL;
  void *result = block == NULL ? take(S, new_size) : resize(S, block, old_size, new_size);
  if (result != NULL) {
    S->used += new_size - old_size;
  } else if (S->main != NULL && S->host_depth > 0) {
    give_up();
  }
  return result;
}

/* Memory of Lua states: the limit, and an allocator for small blocks. Lua makes and drops a few strings and userdata for
   each row that it reads; lists of free blocks of one state need no locks and no headers, which makes them several times
   faster than malloc. */
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

#if defined(__SANITIZE_ADDRESS__) || (defined(__has_feature) && __has_feature(address_sanitizer))
/* The sanitizer watches malloc's blocks, so each block is one. */
static bool is_small(size_t size) {
  (void)size;
  return false;
}
#else
static bool is_small(size_t size) { return size <= RH_SMALL_STEP * RH_SMALL_SIZES; }
#endif

enum { SLAB_SIZE = 1 << 16 };

static size_t list_of(size_t size) { return (size - 1) / RH_SMALL_STEP; }

static bool add_slab(rh_small_blocks *small) {
  rh_free_block *slab = malloc(SLAB_SIZE);
  if (slab == NULL) return false;
  slab->next = small->slabs;
  small->slabs = slab;
  small->fresh = (char *)slab + RH_SMALL_STEP;
  small->fresh_end = (char *)slab + SLAB_SIZE;
  return true;
}

static void *take_small(rh_small_blocks *small, size_t size) {
  size_t list = list_of(size);
  rh_free_block *block = small->free[list];
  if (block != NULL) {
    small->free[list] = block->next;
    return block;
  }
  size_t rounded = (list + 1) * RH_SMALL_STEP;
  /* What is too small at the end of a slab is left: at most a block of each slab. */
  if ((size_t)(small->fresh_end - small->fresh) < rounded && !add_slab(small)) return NULL;
  void *fresh = small->fresh;
  small->fresh += rounded;
  return fresh;
}

static void give_small(rh_small_blocks *small, void *block, size_t size) {
  rh_free_block *freed = block;
  size_t list = list_of(size);
  freed->next = small->free[list];
  small->free[list] = freed;
}

void rh_free_slabs(rh_small_blocks *small) {
  while (small->slabs != NULL) {
    rh_free_block *slab = small->slabs;
    small->slabs = slab->next;
    free(slab);
  }
}

/* MARK: The allocator */

/* The system has no memory left, and Lua's error would jump over Swift frames. */
static _Noreturn void give_up(void) {
  fputs("error[RH1208]: the system has no memory left\n", stderr);
  _Exit(1);
}

static void *take(rh_state *S, size_t size) { return is_small(size) ? take_small(&S->small, size) : malloc(size); }

static void give(rh_state *S, void *block, size_t size) {
  if (is_small(size)) {
    give_small(&S->small, block, size);
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

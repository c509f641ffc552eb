#include "internal.h"

int clg_run_ends(void) {
  clg_run *run = clg_current_run();
  return run && (run->killed || run->cancel);
}

void clg_link(clg_run *parent, clg_run *child) {
  child->parent = parent;
  child->previous = NULL;
  child->next = parent->first_child;
  if (parent->first_child) parent->first_child->previous = child;
  parent->first_child = child;
}

void clg_unlink(clg_run *child) {
  clg_run *parent = child->parent;
  if (!parent) return;
  if (child->previous)
    child->previous->next = child->next;
  else
    parent->first_child = child->next;
  if (child->next) child->next->previous = child->previous;
  child->parent = child->previous = child->next = NULL;
}

// The tasks of a call run in its state and on its account.
void clg_charge(clg_run *run, uint64_t nanoseconds) {
  const clg_state *state = run->state;
  for (; run && run->state == state; run = run->parent)
    run->cpu_left = run->cpu_left > nanoseconds ? run->cpu_left - nanoseconds : 0;
}

uint64_t clg_cpu_left(const clg_run *run) {
  const clg_state *state = run->state;
  uint64_t left = UINT64_MAX;
  for (; run && run->state == state; run = run->parent)
    if (run->cpu_left < left) left = run->cpu_left;
  return left;
}

static clg_run **mark(clg_run *root, clg_run **tail) {
  for (clg_run *run = root;;) {
    while (run->first_child) run = run->first_child;
    for (;;) { // `run` and all below it are listed after this
      if (!run->cancel) {
        run->cancel = 1;
        run->listed = NULL;
        *tail = run;
        tail = &run->listed;
      }
      if (run == root) return tail;
      if (run->next) break;
      run = run->parent;
    }
    run = run->next;
  }
}

clg_run *clg_mark_cancelled(clg_run *root) {
  clg_run *list = NULL;
  mark(root, &list);
  return list;
}

clg_run *clg_mark_children_cancelled(clg_run *parent) {
  clg_run *list = NULL, **tail = &list;
  for (clg_run *child = parent->first_child; child; child = child->next) tail = mark(child, tail);
  return list;
}

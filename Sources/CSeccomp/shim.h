#pragma once
#if __has_include(<seccomp.h>)
#include <seccomp.h>
#endif

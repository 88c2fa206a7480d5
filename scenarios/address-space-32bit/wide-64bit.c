// SPDX-License-Identifier: MIT
/* The same program, built for 64 bits. */
#include "address-space-32bit.c"

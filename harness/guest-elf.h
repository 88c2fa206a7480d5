// SPDX-License-Identifier: MIT
/*
 * What a program links to, as the machine's own loader finds it.
 */
#pragma once

/* Call `found` with the path of the program's loader and of each library; nothing for a static one or a script.
 * -errno, -ENOENT when a library is missing, -EBADMSG for an ELF file that makes no sense */
int elf_libraries(const char *program, void (*found)(const char *path, void *data), void *data);

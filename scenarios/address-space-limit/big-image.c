// SPDX-License-Identifier: MIT
/* A program whose image alone needs 128 MiB of address space, of which it uses one byte: execve() has to map all of it.
 */
static volatile char image[128 << 20];

int main(void)
{
	return image[0];
}

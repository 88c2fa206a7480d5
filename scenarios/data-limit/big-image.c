// SPDX-License-Identifier: MIT
/* A program with 32 MiB of data, of which it uses one byte: execve() has to make room for all of it. */
static volatile char data[32 << 20];

int main(void)
{
	return data[0];
}

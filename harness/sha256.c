// SPDX-License-Identifier: MIT
/*
 * SHA-256 as FIPS 180-4 has it, of a text that is in memory as a whole.
 */
#include "sha256.h"

#include <endian.h>
#include <stdint.h>
#include <string.h>

static const uint32_t k[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
	0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
	0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
	0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t turned(uint32_t x, unsigned by)
{
	return x >> by | x << (32 - by);
}

static void add_block(uint32_t h[8], const unsigned char block[64])
{
	uint32_t w[64], v[8];
	for (unsigned i = 0; i < 16; i++) {
		memcpy(&w[i], block + (size_t)4 * i, 4);
		w[i] = be32toh(w[i]);
	}
	for (unsigned i = 16; i < 64; i++) {
		uint32_t a = w[i - 15], b = w[i - 2];
		w[i] = w[i - 16] + (turned(a, 7) ^ turned(a, 18) ^ a >> 3) + w[i - 7] +
		       (turned(b, 17) ^ turned(b, 19) ^ b >> 10);
	}
	memcpy(v, h, sizeof(v));
	for (unsigned i = 0; i < 64; i++) {
		uint32_t e = v[4], a = v[0];
		uint32_t t1 = v[7] + (turned(e, 6) ^ turned(e, 11) ^ turned(e, 25)) + ((e & v[5]) ^ (~e & v[6])) +
			      k[i] + w[i];
		uint32_t t2 =
			(turned(a, 2) ^ turned(a, 13) ^ turned(a, 22)) + ((a & v[1]) ^ (a & v[2]) ^ (v[1] & v[2]));
		memmove(v + 1, v, 7 * sizeof(v[0]));
		v[4] += t1;
		v[0] = t1 + t2;
	}
	for (unsigned i = 0; i < 8; i++)
		h[i] += v[i];
}

/* 32 bytes and the zero byte that makes them a multiple of three. */
static void put_base64(const unsigned char bytes[33], char *ret)
{
	static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	for (unsigned i = 0; i < 33; i += 3) {
		uint32_t three = (uint32_t)bytes[i] << 16 | (uint32_t)bytes[i + 1] << 8 | bytes[i + 2];
		for (unsigned n = 0; n < 4; n++)
			*ret++ = digit[three >> (18 - 6 * n) & 63];
	}
	ret[-1] = '=';
	*ret = '\0';
}

char *sha256_base64(const char *text, size_t length, char ret[SHA256_BASE64])
{
	uint32_t h[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
			 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
	unsigned char last[128] = {0}, digest[33] = {0};
	size_t whole = length / 64 * 64, rest = length - whole, padded = rest < 56 ? 64 : 128;
	uint64_t bits = htobe64((uint64_t)length * 8);
	for (size_t at = 0; at < whole; at += 64)
		add_block(h, (const unsigned char *)text + at);
	memcpy(last, text + whole, rest);
	last[rest] = 0x80;
	memcpy(last + padded - 8, &bits, 8);
	for (size_t at = 0; at < padded; at += 64)
		add_block(h, last + at);
	for (unsigned i = 0; i < 8; i++) {
		h[i] = htobe32(h[i]);
		memcpy(digest + (size_t)4 * i, &h[i], 4);
	}
	put_base64(digest, ret);
	return ret;
}

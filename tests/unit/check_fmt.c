/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text into memory of a fixed size, against printf(3) and inet_ntop(3); and addresses. */
#include "cfgdb/base/fmt.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "cfgdb/base/mem.h"
#include "tests/lib/fixture.h"
#include "tests/lib/random_object.h"

static char text[256];
static struct fmt f;

static void begin(void) {
	memset(text, '#', sizeof(text));
	f = fmt_begin(text, sizeof(text));
}

static void assert_text(const char *right) {
	ck_assert(!f.cut);
	ck_assert_int_eq(*f.at, '#');
	*f.at = '\0';
	ck_assert_str_eq(text, right);
}

static void check_number(uint64_t v) {
	char right[32];

	begin();
	fmt_u64(&f, v);
	snprintf(right, sizeof(right), "%" PRIu64, v);
	assert_text(right);
	begin();
	fmt_i64(&f, (int64_t)v);
	snprintf(right, sizeof(right), "%" PRId64, (int64_t)v);
	assert_text(right);
	begin();
	fmt_hex32(&f, (uint32_t)v);
	snprintf(right, sizeof(right), "%08" PRIx32, (uint32_t)v);
	assert_text(right);
}

START_TEST(test_numbers) {
	struct rng r = rng_seed(fixture_seed());

	for (uint64_t p = 1; p <= UINT64_MAX / 10; p *= 10)
		for (int d = -1; d <= 1; d++)
			check_number(p + (uint64_t)d);
	check_number(UINT64_MAX);
	check_number(INT64_MAX);
	check_number((uint64_t)INT64_MIN);
	for (unsigned int i = 0; i < fixture_rounds(20000); i++)
		check_number(rng_next(&r) >> rng_below(&r, 64));
}
END_TEST

static void check_addr(int family, const union net_addr *addr) {
	char right[INET6_ADDRSTRLEN];
	union net_addr back;

	begin();
	fmt_addr(&f, family, addr);
	ck_assert_ptr_nonnull(inet_ntop(family, addr->byte, right, sizeof(right)));
	assert_text(right);
	ck_assert(net_parse(family, right, &back));
	ck_assert(net_equal(&back, addr));
	ck_assert_int_eq(net_order(&back, addr), 0);
}

START_TEST(test_ipv4) {
	struct rng r = rng_seed(fixture_seed());

	for (uint32_t i = 0; i < 256; i++) {
		union net_addr addr = net_ipv4(i * 0x01010101);

		check_addr(AF_INET, &addr);
	}
	for (unsigned int i = 0; i < fixture_rounds(20000); i++) {
		union net_addr addr = net_ipv4((uint32_t)rng_next(&r));

		check_addr(AF_INET, &addr);
	}
}
END_TEST

/* Every place and length of runs of zeros, and groups of every length. */
START_TEST(test_ipv6) {
	struct rng r = rng_seed(fixture_seed());

	for (unsigned int zeros = 0; zeros < 256; zeros++)
		for (unsigned int i = 0; i < 40; i++) {
			union net_addr addr;

			for (int g = 0; g < 8; g++) {
				uint32_t v = zeros >> g & 1
						     ? 0
						     : rng_below(&r, 0x10000) >> rng_below(&r, 16);

				if (i == 0 && !(zeros >> g & 1))
					v = 0xffff;
				addr.byte[2 * g] = (uint8_t)(v >> 8);
				addr.byte[2 * g + 1] = (uint8_t)v;
			}
			check_addr(AF_INET6, &addr);
		}
}
END_TEST

START_TEST(test_pieces) {
	const char *start;

	begin();
	fmt_lit(&f, "a=");
	fmt_str(&f, "");
	fmt_str(&f, "xyz");
	fmt_char(&f, ' ');
	start = f.at;
	fmt_u64(&f, 42);
	fmt_pad(&f, start, 5);
	fmt_char(&f, '|');
	start = f.at;
	fmt_lit(&f, "longer");
	fmt_pad(&f, start, 5);
	assert_text("a=xyz 42   |longer");
}
END_TEST

/* Whatever the room is: nothing is written behind it, and after a cut nothing at all. */
START_TEST(test_cut) {
	static const char whole[] = "ab18446744073709551615-1deadbeef1.2.3.4::1 .";
	union net_addr ipv4 = net_ipv4(0x01020304), ipv6;

	ck_assert(net_parse(AF_INET6, "::1", &ipv6));
	for (size_t size = 0; size <= sizeof(whole); size++) {
		begin();
		f = fmt_begin(text, size);
		fmt_lit(&f, "ab");
		fmt_u64(&f, UINT64_MAX);
		fmt_i64(&f, -1);
		fmt_hex32(&f, 0xdeadbeef);
		fmt_addr(&f, AF_INET, &ipv4);
		fmt_addr(&f, AF_INET6, &ipv6);
		fmt_pad(&f, f.at, 1);
		fmt_char(&f, '.');
		ck_assert_int_eq(f.cut, size < sizeof(whole) - 1);
		ck_assert_uint_le((size_t)(f.at - text), size);
		ck_assert_mem_eq(text, whole, (size_t)(f.at - text));
		ck_assert_int_eq(text[size], '#');
	}
}
END_TEST

static const struct {
	int family;
	const char *text;
} no_addresses[] = {
	{ AF_INET, "" },         { AF_INET, "1.2.3" }, { AF_INET, "1.2.3.256" },
	{ AF_INET, "1.2.3.4 " }, { AF_INET, "::1" },   { AF_INET6, "1.2.3.4" },
	{ AF_INET6, "::1::" },   { AF_INET6, "g::" },
};

START_TEST(test_net) {
	union net_addr a, b;

	for (size_t i = 0; i < ARRAY_LEN(no_addresses); i++)
		ck_assert_msg(!net_parse(no_addresses[i].family, no_addresses[i].text, &a), "%s",
			      no_addresses[i].text);
	ck_assert(net_parse(AF_INET, "10.0.0.9", &a));
	b = net_ipv4(0x0a000009);
	ck_assert(net_equal(&a, &b));
	b = net_ipv4(0x0a000010);
	ck_assert(!net_equal(&a, &b));
	ck_assert_int_lt(net_order(&a, &b), 0);
	ck_assert_int_gt(net_order(&b, &a), 0);
	ck_assert_uint_eq(net_len(AF_INET), 4);
	ck_assert_uint_eq(net_len(AF_INET6), 16);
}
END_TEST

/* Names are anyone's bytes; what is read must be JSON, and the name where it is text. */
static const struct {
	const char *text, *json;
} strings[] = {
	{ "", "\"\"" },
	{ "port1 ~", "\"port1 ~\"" },
	{ "p\"\\/", "\"p\\\"\\\\/\"" },
	{ "\n\x01\x7f", "\"\\u000a\\u0001\\u007f\"" },
	{ "\xc3\xa9\"0", "\"\xc3\xa9\\\"0\"" },
	{ "\xe2\x82\xac\xf0\x9f\x98\x80", "\"\xe2\x82\xac\xf0\x9f\x98\x80\"" },
	{ "\xf4\x8f\xbf\xbf", "\"\xf4\x8f\xbf\xbf\"" },
	/* A byte alone, one that is cut off at the end or by another, one that cannot be. */
	{ "a\xff" "b", "\"a\xef\xbf\xbd" "b\"" },
	{ "\x80", "\"\xef\xbf\xbd\"" },
	{ "a\xc3", "\"a\xef\xbf\xbd\"" },
	{ "\xe2\x82" "a", "\"\xef\xbf\xbd\xef\xbf\xbd" "a\"" },
	/* Longer than need be (NUL and a quote), a surrogate, beyond the last character. */
	{ "\xc0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\"" },
	{ "\xc0\xa2", "\"\xef\xbf\xbd\xef\xbf\xbd\"" },
	{ "\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
	{ "\xed\x9f\xbf\xee\x80\x80", "\"\xed\x9f\xbf\xee\x80\x80\"" },
	{ "\xf4\x90\x80\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
};

START_TEST(test_json) {
	begin();
	fmt_json(&f, strings[_i].text);
	assert_text(strings[_i].json);
}
END_TEST

static Suite *fmt_suite(void) {
	Suite *s = suite_create("fmt");
	TCase *t = fixture_case(s, "fmt");

	tcase_add_test(t, test_numbers);
	tcase_add_test(t, test_ipv4);
	tcase_add_test(t, test_ipv6);
	tcase_add_test(t, test_pieces);
	tcase_add_test(t, test_cut);
	tcase_add_test(t, test_net);
	tcase_add_loop_test(t, test_json, 0, ARRAY_LEN(strings));
	return s;
}

int main(void) {
	return fixture_run(fmt_suite());
}

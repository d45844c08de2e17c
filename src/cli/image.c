// SPDX-License-Identifier: Apache-2.0
/* onepack image: firmware images for packs. Makes keys, wraps and signs code, checks releases and
 * shows what is in them. */
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "image.h"
#include "image_text.h"

#define FILE_MAX (RELEASE_IMAGES * IMAGE_SIZE_MAX)

static int usage(FILE *out, int status)
{
	fputs("usage: onepack image keygen KEY.pem\n"
	      "       onepack image make --key KEY.pem --class N --version A.B.C[+BUILD] [OPTION]... --out FILE ADDRESS=CODE.bin...\n"
	      "       onepack image check [--key KEY.pem] FILE\n"
	      "       onepack image show FILE\n\n"
	      "keygen  makes a signing key: KEY.pem gets it, only its owner may read it; printed is the array for maker_key.c\n"
	      "make    wraps code in the MCUboot container and signs it, one image for each slot address\n"
	      "          --counter N       security counter, images below the running one's are refused (default 0)\n"
	      "          --hardware N-M    hardware revisions that it runs on (default 0-65535)\n"
	      "          --loader N        lowest loader version (default 0)\n"
	      "          --layout N        parameter layout (default 0)\n"
	      "check   form, hash and signature of every image; exit status 1 when one is wrong\n"
	      "show    what the images say of themselves\n\n"
	      "  onepack image keygen maker.pem\n"
	      "  onepack image make --key maker.pem --class 0x0105 --version 1.2.0 --counter 3 --out pack-1.2.0.img \\\n"
	      "      0x08020000=app-a.bin 0x08040000=app-b.bin\n"
	      "  onepack image check --key maker.pem pack-1.2.0.img\n",
	      out);
	return status;
}

static int complain(const char *what, const char *about)
{
	fprintf(stderr, "onepack image: %s: %s\n", about, what);
	return 1;
}

static int keygen(const char *path)
{
	uint8_t secret[IMAGE_SECRET_SIZE];
	char pem[IMAGE_PEM_SIZE];
	const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);

	if (fd < 0)
		return complain(strerror(errno), path);
	image_key_make(secret);
	image_secret_to_pem(secret, pem);

	const ssize_t length = (ssize_t)strlen(pem);
	const bool written = write(fd, pem, (size_t)length) == length && fsync(fd) == 0;

	sodium_memzero(pem, sizeof pem);
	if (close(fd) != 0 || !written)
		return complain("cannot be written", path);
	image_key_to_pem(secret + 32, pem);
	fputs(pem, stdout);
	for (int i = 0; i < IMAGE_KEY_SIZE; i++)
		printf("0x%02x,%s", secret[32 + i], i % 8 == 7 ? "\n" : " ");
	sodium_memzero(secret, sizeof secret);
	return 0;
}

/* A whole file; the caller frees it. */
static uint8_t *read_file(const char *path, size_t *count)
{
	FILE *file = fopen(path, "rb");
	uint8_t *bytes = malloc(FILE_MAX + 1);

	*count = file && bytes ? fread(bytes, 1, FILE_MAX + 1, file) : 0;
	if (!file || !bytes || ferror(file) || *count > FILE_MAX) {
		(void)complain(file && *count > FILE_MAX ? "too large" : strerror(errno), path);
		free(bytes);
		bytes = NULL;
	}
	if (file)
		(void)fclose(file);
	return bytes;
}

static int read_pem(const char *path, char *pem, size_t size)
{
	FILE *file = fopen(path, "r");

	if (!file)
		return complain(strerror(errno), path);

	const size_t count = fread(pem, 1, size - 1, file);

	pem[count] = '\0';
	(void)fclose(file);
	return 0;
}

/* --- make --- */

struct recipe {
	struct image_facts facts;
	const char *key, *out;
	uint8_t secret[IMAGE_SECRET_SIZE];
};

/* "ADDRESS=FILE": appends one image to the file that is being made. */
static int make_one(const struct recipe *recipe, const char *input, FILE *out)
{
	struct image_facts facts = recipe->facts;
	const char *path = strchr(input, '=');
	size_t count;
	int result = 1;

	if (!path ||
	    image_text_number(input, (size_t)(path - input), UINT32_MAX, &facts.load_address) < 0)
		return complain("wants ADDRESS=FILE", input);
	path++;

	uint8_t *code = read_file(path, &count), *image = malloc(IMAGE_SIZE_MAX);

	if (!code || !image)
		goto out;

	const int size = image_make(&facts, code, count, recipe->secret, image, IMAGE_SIZE_MAX);

	if (size < 0)
		result = complain("too large for an image", path);
	else if (fwrite(image, 1, (size_t)size, out) != (size_t)size)
		result = complain("cannot be written", recipe->out);
	else
		result = 0;
out:
	free(code);
	free(image);
	return result;
}

static int make(struct recipe *recipe, int count, char **inputs)
{
	char pem[2048];
	FILE *out;
	int result = read_pem(recipe->key, pem, sizeof pem);

	if (result != 0)
		return result;
	if (image_secret_from_pem(pem, recipe->secret) < 0)
		return complain("holds no Ed25519 private key", recipe->key);
	sodium_memzero(pem, sizeof pem);
	out = fopen(recipe->out, "wb");
	if (!out)
		return complain(strerror(errno), recipe->out);
	for (int i = 0; i < count && result == 0; i++)
		result = make_one(recipe, inputs[i], out);
	sodium_memzero(recipe->secret, sizeof recipe->secret);
	if (fclose(out) != 0 && result == 0)
		result = complain(strerror(errno), recipe->out);
	if (result != 0)
		(void)remove(recipe->out);
	return result;
}

/* The options that are numbers of 16 bits. */
static bool take_number(struct image_facts *facts, const char *name, const char *value)
{
	uint32_t number;

	if (image_text_number(value, strlen(value), UINT16_MAX, &number) < 0)
		return false;
	if (strcmp(name, "--class") == 0)
		facts->device_class = (uint16_t)number;
	else if (strcmp(name, "--loader") == 0)
		facts->loader_min = (uint16_t)number;
	else if (strcmp(name, "--layout") == 0)
		facts->parameter_layout = (uint16_t)number;
	else
		return false;
	return true;
}

/* Takes one option with its value; false when it is none, or its value is wrong. */
static bool take_option(struct recipe *recipe, const char *name, const char *value)
{
	struct image_facts *facts = &recipe->facts;

	if (strcmp(name, "--key") == 0)
		recipe->key = value;
	else if (strcmp(name, "--out") == 0)
		recipe->out = value;
	else if (strcmp(name, "--version") == 0)
		return image_text_version(value, &facts->version) == 0;
	else if (strcmp(name, "--hardware") == 0)
		return image_text_range(value, &facts->hardware_min, &facts->hardware_max) == 0;
	else if (strcmp(name, "--counter") == 0)
		return image_text_number(value, strlen(value), UINT32_MAX,
					 &facts->security_counter) == 0;
	else
		return take_number(facts, name, value);
	return true;
}

static int command_make(int argc, char **argv)
{
	struct recipe recipe = {.facts = {.hardware_max = UINT16_MAX}};
	int i = 1;

	for (; i + 1 < argc && strncmp(argv[i], "--", 2) == 0; i += 2)
		if (!take_option(&recipe, argv[i], argv[i + 1])) {
			fprintf(stderr, "onepack image: cannot take %s %s\n", argv[i], argv[i + 1]);
			return 2;
		}
	if (!recipe.key || !recipe.out || i >= argc || argc - i > RELEASE_IMAGES)
		return usage(stderr, 2);
	return make(&recipe, argc - i, argv + i);
}

/* --- check and show --- */

static const char *verdict(int result)
{
	switch (result) {
	case ERR_CHECKSUM: return "damaged: its hash is wrong";
	case ERR_NOT_MINE: return "signed with another key";
	case ERR_FOREIGN: return "its signature is wrong";
	default: return result < 0 ? "no image, or not all of it" : "right";
	}
}

static int check(const struct release *release, const char *key_path, const char *path)
{
	uint8_t key[1][IMAGE_KEY_SIZE];
	char pem[2048];
	int result = 0;

	if (key_path && read_pem(key_path, pem, sizeof pem) != 0)
		return 1;
	if (key_path && image_key_from_pem(pem, key[0]) < 0)
		return complain("holds no Ed25519 key", key_path);
	for (int i = 0; i < release->count; i++) {
		int told = image_verify(&release->images[i], key, key_path ? 1 : 0);

		if (!key_path && told == ERR_NOT_MINE)
			told = 0; /* nobody asked whose it is */
		printf("%s: image %d for 0x%08x: %s\n", path, i + 1,
		       release->images[i].facts.load_address,
		       !key_path && told == 0 ? "hash is right, signature not checked"
					      : verdict(told));
		result |= told < 0;
	}
	return result;
}

static void show(const struct image *image)
{
	const struct image_facts *f = &image->facts;
	char hex[2 * IMAGE_HASH_SIZE + 1];

	printf("image for 0x%08x\n", f->load_address);
	printf("  version           %u.%u.%u+%u\n", f->version.major, f->version.minor,
	       f->version.revision, f->version.build);
	printf("  device class      0x%04x\n", f->device_class);
	printf("  hardware          %u-%u\n", f->hardware_min, f->hardware_max);
	printf("  security counter  %u\n", f->security_counter);
	printf("  loader            %u or newer\n", f->loader_min);
	printf("  parameter layout  %u\n", f->parameter_layout);
	printf("  size              %zu bytes\n", image->size);
	printf("  hash              %s\n",
	       sodium_bin2hex(hex, sizeof hex, image->hash, sizeof image->hash));
	printf("  key               %s\n",
	       sodium_bin2hex(hex, sizeof hex, image->key_hash, sizeof image->key_hash));
}

static int look(const char *path, bool checking, const char *key_path)
{
	struct release release;
	size_t count;
	uint8_t *bytes = read_file(path, &count);
	int result = 0;

	if (!bytes)
		return 1;
	if (release_read(bytes, count, &release) < 0)
		result = complain(verdict(ERR_FORMAT), path);
	else if (checking)
		result = check(&release, key_path, path);
	else
		for (int i = 0; i < release.count; i++)
			show(&release.images[i]);
	free(bytes);
	return result;
}

int command_image(int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "";

	if (strcmp(verb, "--help") == 0)
		return usage(stdout, 0);
	if (sodium_init() < 0)
		return complain("cannot start", "libsodium");
	if (strcmp(verb, "keygen") == 0 && argc == 3)
		return keygen(argv[2]);
	if (strcmp(verb, "make") == 0)
		return command_make(argc - 1, argv + 1);
	if (strcmp(verb, "show") == 0 && argc == 3)
		return look(argv[2], false, NULL);
	if (strcmp(verb, "check") == 0 && argc == 3)
		return look(argv[2], true, NULL);
	if (strcmp(verb, "check") == 0 && argc == 5 && strcmp(argv[2], "--key") == 0)
		return look(argv[4], true, argv[3]);
	return usage(stderr, 2);
}

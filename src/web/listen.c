// SPDX-License-Identifier: Apache-2.0
/* The listening socket. Opened here rather than by libmicrohttpd, which cannot say why it failed.
 */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http.h"
#include "onepack/err.h"

#define BACKLOG 64

static int split(const char *text, char host[WEB_TEXT_SIZE], const char **port)
{
	const char *colon = strrchr(text, ':');
	size_t length = colon ? (size_t)(colon - text) : 0;

	if (!colon || length >= WEB_TEXT_SIZE)
		return ERR_FORMAT;
	if (length >= 2 && text[0] == '[' && text[length - 1] == ']') {
		text++;
		length -= 2;
	}
	memcpy(host, text, length);
	host[length] = '\0';
	*port = colon + 1;
	return 0;
}

static int bind_and_listen(const struct addrinfo *address)
{
	const int yes = 1, no = 0;
	const int fd =
		socket(address->ai_family, address->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
	if (address->ai_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof no);
	if (bind(fd, address->ai_addr, address->ai_addrlen) < 0 || listen(fd, BACKLOG) < 0) {
		const int error = -errno;

		close(fd);
		return error;
	}
	return fd;
}

static int port_of(int fd)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} bound = {0};
	socklen_t size = sizeof bound;

	if (getsockname(fd, &bound.any, &size) < 0)
		return 0;
	return ntohs(bound.any.sa_family == AF_INET6 ? bound.v6.sin6_port : bound.v4.sin_port);
}

int listen_open(const char *text, int *port, char *why, size_t why_size)
{
	const struct addrinfo hints = {.ai_flags = AI_PASSIVE | AI_NUMERICSERV,
				       .ai_socktype = SOCK_STREAM};
	char host[WEB_TEXT_SIZE];
	const char *service;
	struct addrinfo *found;
	int result;

	if (split(text, host, &service) < 0) {
		snprintf(why, why_size,
			 "cannot listen on '%s': write it as address:port, like 127.0.0.1:8080",
			 text);
		return ERR_FORMAT;
	}
	result = getaddrinfo(host[0] ? host : NULL, service, &hints, &found);
	if (result != 0) {
		snprintf(why, why_size, "cannot listen on '%s': %s", text, gai_strerror(result));
		return ERR_FORMAT;
	}
	result = bind_and_listen(found);
	freeaddrinfo(found);
	if (result < 0)
		snprintf(why, why_size, "cannot listen on %s: %s", text, strerror(-result));
	else
		*port = port_of(result);
	return result;
}

/* A crowd of WebSocket clients in one thread, for benches: how late each gets what was published.
 *
 *   gateway_load PORT PATHS COUNT MESSAGES SECONDS
 *
 * PATHS is a file with one request path a line, used in turn. Says READY when all are connected, then waits until
 * each has got MESSAGES messages, or SECONDS have passed, and prints one JSON object. Whatever the framing, a
 * message is known by its first "t":<nanoseconds of CLOCK_MONOTONIC when it was due>. Loopback only: a source
 * address has some 28,000 ports, so the crowd comes from several.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { KEPT = 64, READ = 1 << 18, EACH = 5000, BUCKETS = 100000, STRIDE = 200, ABREAST = 256, QUIET = 15 };

typedef struct {
    int fd, upgraded, kept;
    long got;
    char tail[KEPT];
} Client;

static long late[BUCKETS + 1]; /* by tenths of a millisecond */
static long received, open_clients, upgraded_clients, closed_clients;
static char buffer[KEPT + READ + 1];

static int64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void fail(const char *what) {
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    exit(1);
}

static void begin(Client *client, int number, int port, int epoll) {
    struct sockaddr_in from = {.sin_family = AF_INET}, to = {.sin_family = AF_INET, .sin_port = htons(port)};
    from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + number / EACH);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    client->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (client->fd < 0) fail("socket");
    if (bind(client->fd, (struct sockaddr *)&from, sizeof from)) fail("bind");
    if (connect(client->fd, (struct sockaddr *)&to, sizeof to) && errno != EINPROGRESS) fail("connect");
    struct epoll_event event = {.events = EPOLLOUT, .data.ptr = client};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, client->fd, &event)) fail("epoll");
    open_clients++;
}

static void ask(Client *client, const char *path, int epoll) {
    char request[4096];
    int length = snprintf(request, sizeof request,
                          "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                          "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
                          path);
    if (send(client->fd, request, length, MSG_NOSIGNAL) != length) fail("send");
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
    epoll_ctl(epoll, EPOLL_CTL_MOD, client->fd, &event);
}

static void finish(Client *client) {
    close(client->fd);
    client->fd = -1;
    closed_clients++;
}

/* Counts the messages in what came; keeps the end, where one may have begun. */
static void take(Client *client, char *data, long length) {
    int64_t at = now();
    char *end = data + length, *place = data;
    while ((place = memmem(place, end - place, "\"t\":", 4))) {
        char *digits = place + 4, *stop;
        if (end - digits < 24) break; /* the number may go on in the next read */
        int64_t due = strtoll(digits, &stop, 10), tenths = (at - due) / 100000;
        late[tenths < 0 ? 0 : tenths > BUCKETS ? BUCKETS : tenths]++;
        received++;
        client->got++;
        place = stop + STRIDE < end ? stop + STRIDE : end;
        if (place == end) break;
    }
    char *from = place ? place : end - 3;
    if (from < end - KEPT + 1) from = end - KEPT + 1;
    if (from < data) from = data;
    if (place == end) from = end;
    client->kept = end - from;
    memcpy(client->tail, from, client->kept);
}

static void hear(Client *client) {
    memcpy(buffer, client->tail, client->kept);
    long got = recv(client->fd, buffer + client->kept, READ, 0);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) {
        finish(client);
        return;
    }
    if (!client->upgraded) {
        if (got < 12 || memcmp(buffer, "HTTP/1.1 101", 12)) {
            fprintf(stderr, "refused: %.*s\n", (int)(got < 200 ? got : 200), buffer);
            exit(1);
        }
        client->upgraded = 1;
        upgraded_clients++;
        return;
    }
    buffer[client->kept + got] = 0;
    take(client, buffer, client->kept + got);
}

/* A word from each client every QUIET seconds, a few at a time: servers hang up on who never says anything. */
static void stay(Client *clients, int count) {
    static const char pong[6] = {(char)0x8a, (char)0x80, 0, 0, 0, 0};
    static int64_t began, said;
    if (!began) began = now();
    for (int few = 0; few < 16 && said < (now() - began) / 1000000000.0 * count / QUIET; few++, said++) {
        Client *client = &clients[said % count];
        if (client->upgraded && client->fd >= 0) send(client->fd, pong, sizeof pong, MSG_NOSIGNAL);
    }
}

static double percentile(double share) {
    long wanted = received * share, seen = 0;
    for (int tenths = 0; tenths <= BUCKETS; tenths++)
        if ((seen += late[tenths]) > wanted) return tenths / 10.0;
    return BUCKETS / 10.0;
}

int main(int count_of_words, char **words) {
    if (count_of_words != 6) return 2;
    int port = atoi(words[1]), count = atoi(words[3]), paths = 0, begun = 0, ready = 0;
    long wanted = atol(words[4]) * count;
    int64_t deadline = now() + 180 * (int64_t)1000000000;
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    char **path = calloc(count, sizeof *path);
    Client *clients = calloc(count, sizeof *clients);
    FILE *file = fopen(words[2], "r");
    if (!file) fail(words[2]);
    char *line = NULL;
    size_t size = 0;
    while (paths < count && getline(&line, &size, file) > 0) {
        line[strcspn(line, "\n")] = 0;
        path[paths++] = strdup(line);
    }
    int epoll = epoll_create1(0);
    struct epoll_event events[512];
    while (now() < deadline && received < wanted && closed_clients < count) {
        while (begun < count && open_clients - upgraded_clients < ABREAST) {
            begin(&clients[begun], begun, port, epoll);
            begun++;
        }
        stay(clients, count);
        int ready_events = epoll_wait(epoll, events, 512, 20);
        for (int one = 0; one < ready_events; one++) {
            Client *client = events[one].data.ptr;
            if (events[one].events & EPOLLOUT) ask(client, path[(client - clients) % paths], epoll);
            else hear(client);
        }
        if (!ready && upgraded_clients == count) {
            ready = 1;
            deadline = now() + atof(words[5]) * 1e9;
            puts("READY");
            fflush(stdout);
        }
    }
    long fewest = wanted, most = 0;
    for (int one = 0; one < count; one++) {
        if (clients[one].got < fewest) fewest = clients[one].got;
        if (clients[one].got > most) most = clients[one].got;
    }
    printf("{\"connected\": %ld, \"closed\": %ld, \"received\": %ld, \"fewest\": %ld, \"most\": %ld,"
           " \"p50\": %.1f, \"p99\": %.1f}\n",
           upgraded_clients, closed_clients, received, fewest, most, percentile(0.5), percentile(0.99));
    return 0;
}

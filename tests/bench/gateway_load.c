/* A crowd of WebSocket clients in one thread, for benches: how late each gets what was published.
 *
 *   gateway_load PORT PATHS COUNT MESSAGES SECONDS INFLATES
 *
 * PATHS is a file with one request path a line, used in turn. Says READY when all are connected, then waits until
 * each has got MESSAGES messages, or SECONDS have passed, and prints one JSON object. A message is known by its
 * "t":<nanoseconds of CLOCK_MONOTONIC when it was due>. INFLATES is 1 to offer permessage-deflate, as browsers do.
 * Loopback only: a source address has some 28,000 ports, so the crowd comes from several.
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
#include <zlib.h>

enum {
    READ = 1 << 18, KEPT = 1 << 20, TEXT = 1 << 22, FRAMES = 64, /* bytes, bytes, bytes, frames that are known */
    EACH = 5000, BUCKETS = 100000, STRIDE = 100, ABREAST = 256, QUIET = 15
};

typedef struct {
    int fd, upgraded;
    long got, kept, room;
    char *rest; /* of a frame that has not come whole */
} Client;

typedef struct {
    char *payload;
    int64_t *due;
    long length, count, room;
} Frame;

static long late[BUCKETS + 1]; /* by tenths of a millisecond */
static long received, open_clients, upgraded_clients, closed_clients;
static char buffer[KEPT + READ + 1];
static int inflates;

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
                          "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n%s\r\n",
                          path, inflates ? "Sec-WebSocket-Extensions: permessage-deflate\r\n" : "");
    if (send(client->fd, request, length, MSG_NOSIGNAL) != length) fail("send");
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
    epoll_ctl(epoll, EPOLL_CTL_MOD, client->fd, &event);
}

static void finish(Client *client) {
    close(client->fd);
    client->fd = -1;
    closed_clients++;
}

/* When the messages of a text were due. A frame that many are sent is read once, and known again by its bytes. */
static void read_text(Frame *frame, char *text, long length) {
    char *end = text + length, *place = text;
    frame->count = 0;
    while (place < end && (place = memmem(place, end - place, "\"t\":", 4))) {
        if (frame->count == frame->room) {
            frame->room = frame->room ? 2 * frame->room : 64;
            frame->due = realloc(frame->due, frame->room * sizeof *frame->due);
            if (!frame->due) fail("memory");
        }
        frame->due[frame->count++] = strtoll(place + 4, NULL, 10);
        place += STRIDE;
    }
}

static void inflate_into(Frame *frame, const char *payload, long length) {
    static const unsigned char tail[4] = {0, 0, 0xff, 0xff};
    static char text[TEXT + 1];
    z_stream stream = {0};
    if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) fail("inflate");
    stream.next_out = (unsigned char *)text, stream.avail_out = TEXT;
    for (int part = 0; part < 2; part++) {
        stream.next_in = (unsigned char *)(part ? (const char *)tail : payload);
        stream.avail_in = part ? sizeof tail : length;
        int said = inflate(&stream, Z_SYNC_FLUSH);
        if (said != Z_OK && said != Z_BUF_ERROR) fail("not deflated");
    }
    if (stream.avail_in || !stream.avail_out) fail("too long a text");
    long got = TEXT - stream.avail_out;
    inflateEnd(&stream);
    text[got] = 0;
    read_text(frame, text, got);
}

static Frame *known(const char *payload, long length, int deflated) {
    static Frame frames[FRAMES];
    static unsigned newest;
    for (unsigned back = 0; back < FRAMES; back++) {
        Frame *frame = &frames[(newest - back) % FRAMES];
        if (frame->length == length && !memcmp(frame->payload, payload, length)) return frame;
    }
    Frame *frame = &frames[++newest % FRAMES];
    frame->payload = realloc(frame->payload, length + 1);
    if (!frame->payload) fail("memory");
    memcpy(frame->payload, payload, frame->length = length);
    frame->payload[length] = 0;
    if (deflated) inflate_into(frame, payload, length);
    else read_text(frame, frame->payload, length);
    return frame;
}

static void take(Client *client, const char *payload, long length, int deflated) {
    Frame *frame = known(payload, length, deflated);
    int64_t at = now();
    for (long one = 0; one < frame->count; one++) {
        int64_t tenths = (at - frame->due[one]) / 100000;
        late[tenths < 0 ? 0 : tenths > BUCKETS ? BUCKETS : tenths]++;
    }
    received += frame->count;
    client->got += frame->count;
}

/* Takes whole frames (RFC 6455, 5.2); returns how many bytes they were. */
static long frames_in(Client *client, const unsigned char *data, long length) {
    long used = 0;
    while (length - used >= 2) {
        const unsigned char *at = data + used;
        long head = 2, size = at[1] & 0x7f;
        if (size == 126) head = 4, size = length - used < 4 ? 0 : at[2] << 8 | at[3];
        else if (size == 127) {
            head = 10, size = 0;
            for (int one = 2; one < 10 && length - used >= 10; one++) size = size << 8 | at[one];
        }
        if (length - used < head + size || length - used < head) break;
        if ((at[0] & 0x0f) == 1) take(client, (const char *)at + head, size, at[0] & 0x40);
        used += head + size;
    }
    return used;
}

static void hear(Client *client) {
    memcpy(buffer, client->rest, client->kept);
    long got = recv(client->fd, buffer + client->kept, READ, 0), used = 0;
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) {
        finish(client);
        return;
    }
    got += client->kept;
    buffer[got] = 0;
    if (!client->upgraded) {
        char *end = strstr(buffer, "\r\n\r\n");
        if (got < 12 || memcmp(buffer, "HTTP/1.1 101", 12) || !end) {
            fprintf(stderr, "refused: %.*s\n", (int)(got < 200 ? got : 200), buffer);
            exit(1);
        }
        client->upgraded = 1;
        upgraded_clients++;
        used = end + 4 - buffer;
    }
    used += frames_in(client, (unsigned char *)buffer + used, got - used);
    client->kept = got - used;
    if (client->kept > client->room) {
        client->rest = realloc(client->rest, client->room = client->kept);
        if (!client->rest) fail("memory");
    }
    if (client->kept) memcpy(client->rest, buffer + used, client->kept);
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
    if (count_of_words != 7) return 2;
    inflates = atoi(words[6]);
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

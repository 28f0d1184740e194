/* What a machine can do at all: bare send() to a crowd of WebSocket clients, in one thread and without Python.
 *
 *   gateway_floor PORT COUNT MESSAGES RATE TEXT
 *
 * Lets COUNT clients in, rests for a while, and then makes MESSAGES messages with TEXT itself, RATE a second, each
 * with "t":<nanoseconds of CLOCK_MONOTONIC when it was due>. They travel as in our gateway: TOGETHER clients at a
 * time are sent all that was due by their turn as one JSON array, and a round takes FLOOR at least. No bus, no
 * tokens, no rooms, nobody who is slow: what this costs more than nothing is the kernel's.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { TOGETHER = 256, HEAD = 10, SEND_BUFFER = 64 << 10, PATIENCE = 30 };
static const int64_t FLOOR = 20000000, REST = 2000000000, IDLE = 300000;

typedef struct {
    char *at;   /* HEAD bytes for the header, then the text */
    long length;
    long size;
} Frame;

static int64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void rest(int64_t nanoseconds) {
    struct timespec t = {nanoseconds / 1000000000, nanoseconds % 1000000000};
    if (nanoseconds > 0) nanosleep(&t, NULL);
}

static void fail(const char *what) {
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    exit(1);
}

/* The answer to a Sec-WebSocket-Key of the RFC's own example, which is the one that gateway_load sends. Who says
 * nothing only wanted to know whether we listen. */
static int let_in(int client) {
    static const char answer[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                                 "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
    char request[4096];
    int yes = 1;
    setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    if (recv(client, request, sizeof request, 0) <= 0) {
        close(client);
        return 0;
    }
    if (send(client, answer, sizeof answer - 1, MSG_NOSIGNAL) < 0) fail("send");
    return 1;
}

static void make(Frame *frame, const int64_t *due, long from, long to, const char *text) {
    long most = HEAD + 2 + (to - from) * (strlen(text) + 128);
    if (most > frame->size) {
        frame->at = realloc(frame->at, frame->size = most);
        if (!frame->at) fail("memory");
    }
    char *place = frame->at + HEAD;
    for (long one = from; one < to; one++)
        place += sprintf(place, "%c{\"kind\":\"message.added\",\"seq\":%ld,\"data\":{\"t\":%ld,\"text\":\"%s\"}}",
                         one == from ? '[' : ',', one + 1, (long)due[one], text);
    *place++ = ']';
    frame->length = place - frame->at - HEAD;
}

/* The WebSocket header is written right before the text; returns where it begins. */
static char *headed(Frame *frame) {
    long length = frame->length;
    int size = length < 126 ? 2 : length < 65536 ? 4 : 10;
    unsigned char *head = (unsigned char *)frame->at + HEAD - size;
    head[0] = 0x81;
    head[1] = size == 2 ? length : size == 4 ? 126 : 127;
    for (int byte = 2; byte < size; byte++) head[byte] = (uint64_t)length >> 8 * (size - 1 - byte);
    return (char *)head;
}

static void tell(const int *clients, long count, Frame *frame) {
    char *begin = headed(frame);
    size_t length = frame->at + HEAD + frame->length - begin;
    for (long one = 0; one < count; one++) {
        /* Waits for a client that takes less than it is sent. */
        if (send(clients[one], begin, length, MSG_NOSIGNAL) != (ssize_t)length) fail("send");
    }
}

static int listening(int port) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};
    int door = socket(AF_INET, SOCK_STREAM, 0), yes = 1, size = SEND_BUFFER;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(door, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    setsockopt(door, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    if (bind(door, (struct sockaddr *)&at, sizeof at) || listen(door, 4096)) fail("listen");
    return door;
}

int main(int count_of_words, char **words) {
    if (count_of_words != 6) return 2;
    long count = atol(words[2]), messages = atol(words[3]), groups = (count + TOGETHER - 1) / TOGETHER;
    double rate = atof(words[4]);
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    int *clients = calloc(count, sizeof *clients), door = listening(atoi(words[1]));
    int64_t *due = calloc(messages, sizeof *due);
    long *told = calloc(groups, sizeof *told);
    for (long one = 0; one < count;) {
        if ((clients[one] = accept(door, NULL, NULL)) < 0) fail("accept");
        one += let_in(clients[one]);
    }
    rest(REST);
    int64_t began = now();
    for (long one = 0; one < messages; one++) due[one] = began + one / rate * 1e9;
    Frame frame = {0};
    long here = 0;
    while (told[groups - 1] < messages) {
        int64_t round = now();
        int said = 0;
        for (long group = 0; group < groups; group++) {
            for (int64_t time = now(); here < messages && due[here] <= time;) here++;
            if (told[group] == here) continue;
            long first = group * TOGETHER, last = first + TOGETHER < count ? first + TOGETHER : count;
            make(&frame, due, told[group], here, words[5]);
            tell(clients + first, last - first, &frame);
            told[group] = here;
            said = 1;
        }
        rest((said ? FLOOR : IDLE) - (now() - round));
    }
    rest(PATIENCE * (int64_t)1000000000); /* until it is stopped: a crowd that still reads must not be hung up on */
    return 0;
}

/* A bounded SMTP load generator: one thread, one epoll loop, loopback only.
 *
 * It speaks strictly request and reply (no pipelining), as most senders on the net do, from up to 250
 * addresses 127.0.0.1-127.0.0.250, and says what it saw as one line of JSON. It never waits longer than
 * -t seconds and holds every received byte to a fixed buffer, so that a broken server cannot hang the bench.
 *
 *   load -p PORT -n SESSIONS -c CONCURRENT [-S SOURCES] [-t SECONDS]
 *        -x              each RCPT is to be refused: EHLO, MAIL, RCPT x R, QUIT
 *        -k              with -x: address users that exist (the client is what is refused)
 *        -r R            recipients in a message
 *        -l BYTES -m M   M messages of BYTES in each session
 *        -f FILE         the message, with CRLF and dots doubled (instead of -l)
 *        -b N            the null sender, but for each N-th message, whose sender looks real (1: always null)
 *        -D DOMAINS      spread recipients over d0.example ... instead of example.org
 *        -u USERS        known users in each domain: user0 ... (10000)
 *        -i              idle: open N connections, EHLO, print a line, hold until standard input ends
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum step { GREETING, EHLO, MAIL, RCPT, DATA, FINAL, QUIT, HELD };
static const char *const step_name[] = {"greeting", "EHLO", "MAIL", "RCPT", "DATA", "final dot", "QUIT", "idle"};

struct session {
    int fd;
    enum step step;
    int messages, recipients;   /* done in this session, in this message */
    double began, mail_began;
    size_t in;                  /* bytes held in reply */
    const char *out;            /* what is still to be written */
    size_t out_left;
    int waits_to_write;
    char reply[4096];
    char command[512];
};

static int port, sessions = 1000, concurrent = 50, sources = 50, refused_mode, known, recipients = 1, messages = 1;
static int domains, users = 10000, idle, bounces;
static size_t size = 4096;
static double limit = 60;

static int epoll_fd, started, finished, failed, live;
static long accepted, refused, serial;
static double *message_times, *session_times;
static long message_count, session_count, capacity;
static const char *message_file;
static char *body, first_error[200];
static size_t body_size;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec * 1e-9;
}

static void blame(const struct session *s, const char *what) {
    if (!first_error[0]) snprintf(first_error, sizeof first_error, "%s: %.150s", step_name[s->step], what);
}

/* Write as much as the socket takes; ask for EPOLLOUT only while something is left. */
static int push(struct session *s) {
    while (s->out_left) {
        ssize_t n = send(s->fd, s->out, s->out_left, MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN) break;
        if (n < 0) { blame(s, strerror(errno)); return -1; }
        s->out += n;
        s->out_left -= n;
    }
    int wants = s->out_left > 0;
    if (wants != s->waits_to_write) {
        struct epoll_event e = {.events = EPOLLIN | (wants ? EPOLLOUT : 0), .data.ptr = s};
        epoll_ctl(epoll_fd, EPOLL_CTL_MOD, s->fd, &e);
        s->waits_to_write = wants;
    }
    return 0;
}

static int say(struct session *s, enum step step, int length) {
    s->step = step;
    s->out = s->command;
    s->out_left = length;
    return push(s);
}

static int say_mail(struct session *s) {
    s->recipients = 0;
    s->mail_began = now();
    if (!bounces) return say(s, MAIL, sprintf(s->command, "MAIL FROM:<sender@example.com>\r\n"));
    if (bounces == 1 || serial % bounces) return say(s, MAIL, sprintf(s->command, "MAIL FROM:<>\r\n"));
    return say(s, MAIL, sprintf(s->command, "MAIL FROM:<j%ld.smith@mail%ld.example.com>\r\n", serial, serial % 97));
}

static int say_rcpt(struct session *s) {
    /* A multiplicative step visits the users and the domains in a scattered, repeatable order. */
    unsigned long k = (unsigned long)serial++ * 2654435761UL;
    const char *word = refused_mode && !known ? "nosuch" : "user";
    unsigned long number = refused_mode && !known ? (unsigned long)serial : (k >> 7) % (unsigned long)users;
    int n;
    if (domains) n = sprintf(s->command, "RCPT TO:<%s%lu@d%lu.example>\r\n", word, number, (k >> 16) % domains);
    else n = sprintf(s->command, "RCPT TO:<%s%lu@example.org>\r\n", word, number);
    return say(s, RCPT, n);
}

static int say_quit(struct session *s) { return say(s, QUIT, sprintf(s->command, "QUIT\r\n")); }

static int message_done(struct session *s) {
    if (message_count < capacity) message_times[message_count++] = now() - s->mail_began;
    return ++s->messages < messages && !refused_mode ? say_mail(s) : say_quit(s);
}

/* One whole reply has come: 0 go on, 1 the session ended well, -1 it failed. */
static int answered(struct session *s, int code, const char *line) {
    int expected[] = {220, 250, 250, 250, 354, 250, 221, 0};
    int wrong = s->step == RCPT && refused_mode ? code < 500 || code > 599 : code != expected[s->step];
    if (wrong) { blame(s, line); return -1; }
    switch (s->step) {
    case GREETING: return say(s, EHLO, sprintf(s->command, "EHLO client.example.com\r\n"));
    case EHLO:
        if (!idle) return say_mail(s);
        s->step = HELD;
        finished++;
        return 0;
    case MAIL: return say_rcpt(s);
    case RCPT:
        if (refused_mode) refused++;
        if (++s->recipients < recipients) return say_rcpt(s);
        return refused_mode ? message_done(s) : say(s, DATA, sprintf(s->command, "DATA\r\n"));
    case DATA:
        s->step = FINAL;
        s->out = body;
        s->out_left = body_size;
        return push(s);
    case FINAL: accepted++; return message_done(s);
    case QUIT:
        session_times[session_count++] = now() - s->began;
        return 1;
    case HELD: blame(s, line); return -1;
    }
    return -1;
}

static int readable(struct session *s) {
    ssize_t n = recv(s->fd, s->reply + s->in, sizeof s->reply - s->in, 0);
    if (n < 0 && errno == EAGAIN) return 0;
    if (n <= 0) { blame(s, n ? strerror(errno) : "closed by the server"); return -1; }
    s->in += n;
    char *at = s->reply, *end = s->reply + s->in, *newline;
    int result = 0;
    while (!result && (newline = memchr(at, '\n', end - at))) {
        *newline = 0;
        if (newline - at >= 3 && at[3] != '-') result = answered(s, atoi(at), at);
        at = newline + 1;
    }
    s->in = end - at;
    memmove(s->reply, at, s->in);
    if (s->in == sizeof s->reply) { blame(s, "a reply line without an end"); return -1; }
    return result;
}

static void open_session(struct session *s) {
    memset(s, 0, offsetof(struct session, reply));
    s->began = now();
    s->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (s->fd < 0) { perror("socket"); exit(2); }
    int one = 1;
    setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(s->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
    struct sockaddr_in from = {.sin_family = AF_INET}, to = {.sin_family = AF_INET, .sin_port = htons(port)};
    from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + started % sources);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    started++;
    live++;
    if (bind(s->fd, (void *)&from, sizeof from)) blame(s, strerror(errno));
    int bad = connect(s->fd, (void *)&to, sizeof to) && errno != EINPROGRESS;
    if (bad) blame(s, strerror(errno));
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = s};
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, s->fd, &e);   /* a failed connect shows up as EPOLLHUP */
}

static void close_session(struct session *s, int result) {
    close(s->fd);
    s->fd = -1;
    live--;
    if (result < 0) failed++;
    if (!(idle && s->step == HELD)) finished++;
}

static void read_body(const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END)) { perror(path); exit(2); }
    long length = ftell(file);
    rewind(file);
    body = malloc(length + 3);
    if (fread(body, 1, length, file) != (size_t)length) { perror(path); exit(2); }
    fclose(file);
    memcpy(body + length, ".\r\n", 3);
    body_size = length + 3;
}

static void make_body(void) {
    static const char *const lines[] = {
        "When the wind comes off the water the whole street smells of salt and tar.\r\n",
        "\r\n", "We agreed on Thursday, unless the ferry is late again.\r\n", "..a line that began with a dot\r\n",
        "https://www.example.com/orders/2231?from=mail&token=0123456789abcdef01234567\r\n", "> yes\r\n",
        "The parcel has left our house; it should be with you in two or three days.\r\n"};
    body = malloc(size + 4096);
    size_t n = sprintf(body, "Received: from app.example.com (app.example.com [192.0.2.7])\r\n\tby out.example.com with ESMTPS id 4Xy7\r\n"
        "\tfor <user@example.org>; Mon, 2 Nov 2026 10:00:00 +0000\r\nFrom: Sender <sender@example.com>\r\n"
        "To: <user@example.org>\r\nSubject: Your parcel\r\nDate: Mon, 2 Nov 2026 10:00:00 +0000\r\n"
        "Message-ID: <20261102.1000@example.com>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n");
    for (int i = 0; n < size; i++) {
        const char *line = lines[i % 7 == 3 && i % 3 ? 6 : i % 7];   /* few lines begin with a dot */
        size_t length = strlen(line);
        memcpy(body + n, line, length);
        n += length;
    }
    memcpy(body + n, ".\r\n", 3);
    body_size = n + 3;
}

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static void print_times(const char *name, double *times, long n) {
    qsort(times, n, sizeof *times, by_size);
    printf("\"%s\":{\"p50\":%.4f,\"p90\":%.4f,\"p99\":%.4f,\"max\":%.4f},", name, n ? times[n / 2] * 1e3 : 0,
           n ? times[n * 9 / 10] * 1e3 : 0, n ? times[n * 99 / 100] * 1e3 : 0, n ? times[n - 1] * 1e3 : 0);
}

static void report(double seconds, int late) {
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    printf("{\"sessions\":%ld,\"errors\":%d,\"timed_out\":%s,\"accepted\":%ld,\"refused\":%ld,\"held\":%d,\"seconds\":%.4f,",
           session_count, failed + (idle ? 0 : live), late ? "true" : "false", accepted, refused, idle ? live : 0, seconds);
    print_times("message_ms", message_times, message_count);
    print_times("session_ms", session_times, session_count);
    for (char *p = first_error; *p; p++) if (*p < 32 || *p > 126 || *p == '"' || *p == '\\') *p = ' ';
    printf("\"cpu\":%.4f,\"first_error\":\"%s\"}\n", u.ru_utime.tv_sec + u.ru_stime.tv_sec
           + (u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1e-6, first_error);
    fflush(stdout);
}

static void turn(int wait_ms, int reopen) {
    struct epoll_event events[256];
    int n = epoll_wait(epoll_fd, events, 256, wait_ms);
    for (int i = 0; i < n; i++) {
        struct session *s = events[i].data.ptr;
        if (s->fd < 0) continue;
        int result = 0;
        if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) result = readable(s);
        if (!result && events[i].events & EPOLLOUT) result = push(s);
        if (!result) continue;
        close_session(s, result);
        if (reopen && started < sessions) open_session(s);
    }
}

int main(int argc, char **argv) {
    int o;
    while ((o = getopt(argc, argv, "p:n:c:S:t:xkr:l:m:b:f:D:u:i")) != -1) switch (o) {
        case 'p': port = atoi(optarg); break;
        case 'n': sessions = atoi(optarg); break;
        case 'c': concurrent = atoi(optarg); break;
        case 'S': sources = atoi(optarg); break;
        case 't': limit = atof(optarg); break;
        case 'x': refused_mode = 1; break;
        case 'k': known = 1; break;
        case 'r': recipients = atoi(optarg); break;
        case 'l': size = atoi(optarg); break;
        case 'm': messages = atoi(optarg); break;
        case 'f': message_file = optarg; break;
        case 'b': bounces = atoi(optarg); break;
        case 'D': domains = atoi(optarg); break;
        case 'u': users = atoi(optarg); break;
        case 'i': idle = 1; break;
        default: return 2;
    }
    if (!port || sources < 1 || sources > 250 || sessions < 1 || users < 1) return 2;
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    if (message_file) read_body(message_file); else make_body();
    capacity = (long)sessions * messages;
    message_times = malloc((capacity + 1) * sizeof(double));
    session_times = malloc((sessions + 1L) * sizeof(double));
    int slots = idle ? sessions : concurrent;
    struct session *pool = calloc(slots, sizeof *pool);
    epoll_fd = epoll_create1(0);
    double began = now();
    while (finished < sessions && now() - began < limit) {
        /* Idle connections are opened a hundred at a time, so that no listen queue overflows. */
        while (started < sessions && started < slots && (!idle || started - finished < 100)) open_session(&pool[started]);
        turn(200, !idle);
    }
    double seconds = now() - began;
    report(seconds, finished < sessions);
    if (!idle) return 0;
    struct pollfd ends[2] = {{.fd = 0, .events = POLLIN}, {.fd = epoll_fd, .events = POLLIN}};
    while (now() - began < limit) {
        if (poll(ends, 2, 1000) <= 0) continue;
        if (ends[0].revents) break;
        if (ends[1].revents) turn(0, 0);
    }
    report(seconds, 0);   /* how many were still open at the end */
    return 0;
}

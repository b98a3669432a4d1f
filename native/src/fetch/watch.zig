//! Ends connections on which nothing happens: the sockets of std have no timeouts.

const std = @import("std");
const builtin = @import("builtin");
const testing = std.testing;

const Socket = std.net.Stream.Handle;

const step_ns = 100 * std.time.ns_per_ms;

pub const Watch = struct {
    /// How long nothing may happen, in seconds.
    seconds: u32,
    mutex: std.Thread.Mutex = .{},
    socket: ?Socket = null,
    /// What the thread does if it cannot end the connection.
    give_up: *const fn () void,
    /// Grows when something happens.
    beats: std.atomic.Value(u32) = .init(0),
    is_stalled: std.atomic.Value(bool) = .init(false),

    /// Starts the thread, which ends with the process.
    pub fn start(watch: *Watch) !void {
        const thread = try std.Thread.spawn(.{ .stack_size = 64 << 10 }, run, .{watch});
        thread.detach();
    }

    /// Begins to watch `socket`.
    pub fn begin(watch: *Watch, socket: Socket) void {
        watch.mutex.lock();
        defer watch.mutex.unlock();
        watch.socket = socket;
        watch.is_stalled.store(false, .release);
        watch.beat();
    }

    pub fn beat(watch: *Watch) void {
        _ = watch.beats.fetchAdd(1, .release);
    }

    /// Closes the socket that is being watched.
    pub fn close(watch: *Watch) void {
        watch.mutex.lock();
        defer watch.mutex.unlock();
        if (watch.socket) |socket| (std.net.Stream{ .handle = socket }).close();
        watch.socket = null;
    }

    fn run(watch: *Watch) void {
        var seen: u32 = 0;
        var quiet: u64 = 0;
        const limit = @as(u64, watch.seconds) * std.time.ns_per_s;
        while (true) {
            std.Thread.sleep(step_ns);
            const beats = watch.beats.load(.acquire);
            quiet = if (beats == seen and watch.isOpen()) quiet + step_ns else 0;
            seen = beats;
            if (quiet > limit) watch.end();
            // A name server or a connection that is being made cannot be interrupted everywhere.
            if (quiet > 2 * limit + 10 * std.time.ns_per_s) watch.give_up();
        }
    }

    fn isOpen(watch: *Watch) bool {
        watch.mutex.lock();
        defer watch.mutex.unlock();
        return watch.socket != null;
    }

    /// Has the reads and writes of the socket fail.
    fn end(watch: *Watch) void {
        watch.mutex.lock();
        defer watch.mutex.unlock();
        const socket = watch.socket orelse return;
        watch.is_stalled.store(true, .release);
        std.posix.shutdown(socket, .both) catch {};
    }
};

fn ignore() void {}

test "a connection on which nothing happens ends" {
    if (builtin.os.tag == .windows) return error.SkipZigTest;
    var sockets: [2]std.posix.fd_t = undefined;
    const made = if (builtin.os.tag == .linux)
        std.os.linux.socketpair(std.posix.AF.UNIX, std.posix.SOCK.STREAM, 0, &sockets)
    else
        return error.SkipZigTest;
    try testing.expectEqual(0, made);
    defer std.posix.close(sockets[1]);
    var watch: Watch = .{ .seconds = 1, .give_up = ignore };
    watch.begin(sockets[0]);
    watch.end();
    var buffer: [1]u8 = undefined;
    try testing.expectEqual(0, try std.posix.read(sockets[0], &buffer));
    try testing.expect(watch.is_stalled.load(.acquire));
    watch.close();
    try testing.expect(!watch.isOpen());
}

//! A line that says how much is unpacked, on a terminal only, while a first start takes long. It erases itself.

const std = @import("std");
const testing = std.testing;

/// How long a start may take without the line, and how long a line stays.
const delay_ns = 300 * std.time.ns_per_ms;
const interval_ns = 100 * std.time.ns_per_ms;

/// Callers hold a lock.
pub const Progress = struct {
    started: i128,
    total: u64 = 0,
    done: u64 = 0,
    drawn: ?i128 = null,
    /// The columns of the line.
    width: usize = 0,

    /// Null if standard error is no terminal.
    pub fn start() ?Progress {
        if (!std.fs.File.stderr().isTty()) return null;
        return .{ .started = std.time.nanoTimestamp() };
    }

    /// Adds `bytes` to what is to be unpacked.
    pub fn expect(progress: *Progress, bytes: u64) void {
        progress.total +|= bytes;
    }

    /// Notes that `bytes` are unpacked, and draws the line if it is time.
    pub fn advance(progress: *Progress, bytes: u64) void {
        progress.done +|= bytes;
        var buffer: [128]u8 = undefined;
        const text = progress.line(&buffer, std.time.nanoTimestamp()) orelse return;
        std.fs.File.stderr().writeAll(text) catch {};
    }

    /// Erases the line.
    pub fn end(progress: *Progress) void {
        var buffer: [128]u8 = undefined;
        const text = progress.erasure(&buffer) orelse return;
        std.fs.File.stderr().writeAll(text) catch {};
    }

    /// The line at the time `now`; null if it is too early.
    fn line(progress: *Progress, buffer: []u8, now: i128) ?[]const u8 {
        if (now - progress.started < delay_ns) return null;
        if (progress.drawn) |drawn| if (now - drawn < interval_ns) return null;
        const total = @max(progress.total, 1);
        const percent = @as(u128, @min(progress.done, total)) * 100 / total;
        const mega = 1_000_000;
        const text = std.fmt.bufPrint(buffer, "\runpacking {d} MB: {d:>3}%", .{ (total + mega - 1) / mega, percent }) catch return null;
        progress.drawn = now;
        progress.width = text.len - 1;
        return text;
    }

    /// Blanks over the line: not every terminal knows how to erase one. Null if nothing was drawn.
    fn erasure(progress: *Progress, buffer: []u8) ?[]const u8 {
        if (progress.drawn == null) return null;
        progress.drawn = null;
        buffer[0] = '\r';
        @memset(buffer[1..][0..progress.width], ' ');
        buffer[1 + progress.width] = '\r';
        return buffer[0 .. progress.width + 2];
    }
};

test "a start that is fast shows nothing" {
    var progress: Progress = .{ .started = 0 };
    progress.expect(310_000_000);
    var buffer: [128]u8 = undefined;
    progress.done = 100;
    try testing.expectEqual(null, progress.line(&buffer, delay_ns - 1));
    try testing.expectEqual(null, progress.erasure(&buffer));
}

test "a line is drawn at intervals and leaves nothing" {
    var progress: Progress = .{ .started = 0 };
    progress.expect(309_000_001);
    progress.expect(1_000_000);
    progress.done = 130_300_000;
    var buffer: [128]u8 = undefined;
    const now: i128 = delay_ns;
    try testing.expectEqualStrings("\runpacking 311 MB:  42%", progress.line(&buffer, now).?);
    try testing.expectEqual(null, progress.line(&buffer, now + interval_ns - 1));
    progress.done = progress.total + 5; // a file that is unpacked twice
    try testing.expectEqualStrings("\runpacking 311 MB: 100%", progress.line(&buffer, now + interval_ns).?);
    try testing.expectEqualStrings("\r" ++ " " ** 22 ++ "\r", progress.erasure(&buffer).?);
    try testing.expectEqual(null, progress.erasure(&buffer));
}

test "nothing to unpack is no division by zero" {
    var progress: Progress = .{ .started = 0 };
    var buffer: [128]u8 = undefined;
    try testing.expectEqualStrings("\runpacking 1 MB:   0%", progress.line(&buffer, delay_ns).?);
}

//! Downloads a URL into a file or to standard output: retried, resumed where it was interrupted, and compared with its
//! size and SHA-256.

const std = @import("std");
const testing = std.testing;
const Exchange = @import("exchange.zig").Exchange;
const Progress = @import("progress.zig").Progress;
const Session = @import("session.zig").Session;
const Sha256 = @import("../sha256.zig").Sha256;

const Error = error{ Failed, OutOfMemory };

/// Attempts in a row of which none receives anything.
const fruitless_max = 5;
/// All attempts: a bound that a server which ends every response does not reach with large files.
const attempts_max = 1000;
const first_wait_ms = 500;

pub const Wanted = struct {
    /// For messages.
    name: []const u8,
    size: ?u64 = null,
    /// In hexadecimal digits.
    sha256: ?[]const u8 = null,
    headers: []const []const u8 = &.{},
    shows_progress: bool = true,
};

/// Where the bytes go.
const Target = struct {
    file: std.fs.File,
    /// Whether it has a position to return to; standard output has none.
    is_seekable: bool,
    length: u64,

    fn write(target: *Target, bytes: []const u8) !void {
        if (target.is_seekable) try target.file.pwriteAll(bytes, target.length) else try target.file.writeAll(bytes);
        target.length += bytes.len;
    }

    /// Has it end after `length` bytes.
    fn cut(target: *Target, length: u64) !void {
        if (target.length == length) return;
        if (!target.is_seekable) return error.Unseekable;
        try target.file.setEndPos(length);
        target.length = length;
    }
};

/// Downloads `url` into `file`, of which an interrupted run may have written the beginning.
pub fn toFile(session: *Session, url: []const u8, file: std.fs.File, wanted: Wanted) Error!void {
    const before = file.getEndPos() catch |err| return unwritable(session, err);
    var target: Target = .{ .file = file, .is_seekable = true, .length = before };
    try run(session, url, &target, wanted);
    const first = check(session, file, wanted);
    if (first) |_| return else |err| if (before == 0 or err != error.Failed) return err;
    // The beginning may be of another file.
    target.cut(0) catch |err| return unwritable(session, err);
    try run(session, url, &target, wanted);
    try check(session, file, wanted);
}

/// Downloads `url` to standard output or to a new file.
pub fn toStream(session: *Session, url: []const u8, file: std.fs.File, wanted: Wanted) Error!void {
    var target: Target = .{ .file = file, .is_seekable = false, .length = 0 };
    try run(session, url, &target, wanted);
}

fn run(session: *Session, url: []const u8, target: *Target, wanted: Wanted) Error!void {
    var progress: Progress = .init(wanted.name, wanted.size, wanted.shows_progress);
    defer progress.end();
    var fruitless: u6 = 0;
    for (0..attempts_max) |_| {
        if (wanted.size) |size| if (target.length >= size) {
            if (target.length > size) target.cut(0) catch |err| return unwritable(session, err) else return;
        };
        const before = target.length;
        if (attempt(session, url, target, wanted, &progress)) |_| return else |err| {
            if (err != error.Failed or !session.fault.is_transient) return err;
        }
        progress.end();
        fruitless = if (target.length > before) 0 else fruitless + 1;
        if (fruitless == fruitless_max) return error.Failed;
        std.Thread.sleep((@as(u64, first_wait_ms) << fruitless) * std.time.ns_per_ms);
    }
    return error.Failed;
}

fn attempt(session: *Session, url: []const u8, target: *Target, wanted: Wanted, progress: *Progress) Error!void {
    var arena: std.heap.ArenaAllocator = .init(std.heap.page_allocator);
    defer arena.deinit();
    var exchange: Exchange = .{ .session = session, .arena = arena.allocator() };
    defer exchange.close();
    const response = exchange.open(.{ .url = url, .offset = target.length, .headers = wanted.headers }) catch |err| {
        // There is nothing behind the last byte: the beginning is of a longer file.
        if (target.length > 0 and target.is_seekable and session.fault.is_transient and std.mem.startsWith(u8, session.fault.why, "the server responds 416"))
            target.cut(0) catch |failure| return unwritable(session, failure);
        return err;
    };
    target.cut(response.start) catch |err| {
        if (err == error.Unseekable) return session.fail(.{ .why = "the connection broke, and the server cannot resume" });
        return unwritable(session, err);
    };
    const end = if (response.length) |length| response.start +| length else null;
    if (wanted.size) |size| if (end) |found| if (found != size) return session.fail(.{
        .why = session.print("the file has {d} bytes on the server, and must have {d}", .{ found, size }),
    });
    while (true) {
        const piece = response.body.peekGreedy(1) catch |err| switch (err) {
            error.EndOfStream => break,
            error.ReadFailed => return exchange.broken("the connection broke"),
        };
        if (wanted.size) |size| if (piece.len > size - target.length) return session.fail(.{
            .why = session.print("the server sends more than the {d} bytes of the manifest", .{size}),
        });
        target.write(piece) catch |err| return unwritable(session, err);
        response.body.toss(piece.len);
        session.watch.beat();
        progress.update(target.length);
    }
    const length = end orelse wanted.size orelse return;
    if (target.length < length) return exchange.broken(
        session.print("the connection ended after {d} of {d} bytes", .{ target.length, length }),
    );
}

/// Compares the content of `file` with what is wanted.
pub fn check(session: *Session, file: std.fs.File, wanted: Wanted) Error!void {
    var hash: Sha256 = .{};
    var length: u64 = 0;
    const buffer = try session.arena.alloc(u8, 256 << 10);
    while (true) {
        const count = file.pread(buffer, length) catch |err| return unwritable(session, err);
        if (count == 0) break;
        hash.update(buffer[0..count]);
        length += count;
    }
    const digest = hash.finalHex();
    const hint = "the file has changed at its source: try again, or rebuild the application";
    if (wanted.size) |size| if (size != length) return session.fail(.{
        .why = session.print("it has {d} bytes, and must have {d}", .{ length, size }),
        .hint = hint,
    });
    if (wanted.sha256) |sha256| if (!std.mem.eql(u8, &digest, sha256)) return session.fail(.{
        .why = session.print("its SHA-256 is {s}, and must be {s}", .{ digest, sha256 }),
        .hint = hint,
    });
}

fn unwritable(session: *Session, err: anyerror) error{Failed} {
    return session.fail(.{
        .why = @import("../report.zig").describe(err),
        .hint = if (err == error.NoSpaceLeft or err == error.DiskQuota) "free some space there, or set CZSCIE_BASE to another directory" else "",
    });
}

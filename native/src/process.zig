//! Starts the program: in place of this process if the system can do that, else as a child.

const std = @import("std");
const builtin = @import("builtin");
const Allocator = std.mem.Allocator;
const child = @import("child.zig");
const Environment = @import("environment.zig").Environment;

/// The arguments of this process, byte for byte (on Windows as WTF-8).
pub fn ownArguments(arena: Allocator) ![]const [:0]const u8 {
    if (builtin.os.tag == .windows) return std.process.argsAlloc(arena);
    const out = try arena.alloc([:0]const u8, std.os.argv.len);
    for (std.os.argv, out) |argument, *slot| slot.* = std.mem.span(argument);
    return out;
}

/// The least stack, in bytes, with which CPython starts and does not die of SIGSEGV, and a sufficient one.
const stack_length_min = 96 << 10;
const stack_length_enough = 128 << 10;

/// Raises the stack limit if it is too small for Python. Returns the limit, in bytes, if that is not allowed.
pub fn raiseStackLimit() ?u64 {
    if (builtin.os.tag != .linux) return null;
    var limit = std.posix.getrlimit(.STACK) catch return null;
    if (limit.cur >= stack_length_min) return null;
    const found = limit.cur;
    limit.cur = @min(limit.max, stack_length_enough);
    if (limit.cur < stack_length_min) return found;
    std.posix.setrlimit(.STACK, limit) catch return found;
    return null;
}

/// The disposition of SIGXFSZ before `ignoreFileSizeSignal`, for the application to inherit.
pub const FileSizeSignal = if (builtin.os.tag == .windows) void else std.posix.Sigaction;

/// Turns a write beyond the file size limit (`ulimit -f`) into an error that can be reported: the signal would kill
/// the process.
pub fn ignoreFileSizeSignal() FileSizeSignal {
    if (builtin.os.tag == .windows) return;
    const ignore: std.posix.Sigaction = .{
        .handler = .{ .handler = std.posix.SIG.IGN },
        .mask = std.posix.sigemptyset(),
        .flags = 0,
    };
    var before: std.posix.Sigaction = undefined;
    std.posix.sigaction(std.posix.SIG.XFSZ, &ignore, &before);
    return before;
}

/// Restores what `ignoreFileSizeSignal` returned.
pub fn restoreFileSizeSignal(before: FileSizeSignal) void {
    if (builtin.os.tag != .windows) std.posix.sigaction(std.posix.SIG.XFSZ, &before, null);
}

/// The permission bits that new files do not get.
const Umask = if (builtin.os.tag == .windows) void else std.posix.mode_t;

/// Lets all users read new files, until `restoreUmask`: the application inherits the original umask.
pub fn setPublicUmask() ?Umask {
    return if (builtin.os.tag == .windows) null else setUmask(0o022);
}

/// Restores what `setPublicUmask` returned.
pub fn restoreUmask(before: ?Umask) void {
    if (builtin.os.tag != .windows) if (before) |mask| {
        _ = setUmask(mask);
    };
}

fn setUmask(mask: Umask) Umask {
    return switch (builtin.os.tag) {
        .windows => {},
        .linux => @intCast(std.os.linux.syscall1(.umask, mask)),
        else => std.c.umask(mask),
    };
}

/// Opens the standard handles that are closed, until the application starts, so that no unpacked file becomes standard
/// error.
pub fn occupyStandardHandles() void {
    if (builtin.os.tag == .windows) return;
    for (0..3) |handle| {
        if (isOpen(@intCast(handle))) continue;
        _ = std.posix.open("/", .{ .DIRECTORY = true, .CLOEXEC = true }, 0) catch return;
    }
}

/// std's fcntl requires an open descriptor.
fn isOpen(descriptor: std.posix.fd_t) bool {
    const flag = std.posix.F.GETFD;
    if (builtin.os.tag == .linux) return std.os.linux.E.init(std.os.linux.fcntl(descriptor, flag, 0)) == .SUCCESS;
    return std.c.fcntl(descriptor, flag, @as(c_int, 0)) != -1;
}

/// Returns only if the program cannot be started.
pub fn start(arena: Allocator, arguments: []const [:0]const u8, environment: *Environment) anyerror {
    if (builtin.os.tag == .windows) return child.run(arena, arguments, environment);
    const argv = try arena.allocSentinel(?[*:0]const u8, arguments.len, null);
    for (arguments, argv) |argument, *slot| slot.* = argument.ptr;
    return std.posix.execveZ(argv[0].?, argv.ptr, try environment.block());
}

//! Starting the program: in place of this process where the system can, as a child where it cannot.

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

/// Bytes of stack below which CPython dies by SIGSEGV when it starts, and with some to spare.
const stack_length_min = 96 << 10;
const stack_length_enough = 128 << 10;

/// Raises the limit of the stack where it is too small for any Python. The limit, where that is not allowed.
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

/// What a process did with SIGXFSZ before `ignoreFileSizeSignal`, as the application is to inherit it.
pub const FileSizeSignal = if (builtin.os.tag == .windows) void else std.posix.Sigaction;

/// Makes a write beyond the limit of file sizes (`ulimit -f`) an error that can be told, not the end of the
/// process.
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

pub fn restoreFileSizeSignal(before: FileSizeSignal) void {
    if (builtin.os.tag != .windows) std.posix.sigaction(std.posix.SIG.XFSZ, &before, null);
}

/// Bits that new files do not get.
const Umask = if (builtin.os.tag == .windows) void else std.posix.mode_t;

/// Lets all users read what is made from now on, until `restoreUmask`: the application is to inherit the mask that
/// the process was given.
pub fn setPublicUmask() ?Umask {
    return if (builtin.os.tag == .windows) null else setUmask(0o022);
}

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

/// Occupies those of the standard handles that are closed, until the application starts: no file that is unpacked
/// may become standard error, which messages are written to.
pub fn occupyStandardHandles() void {
    if (builtin.os.tag == .windows) return;
    for (0..3) |handle| {
        if (isOpen(@intCast(handle))) continue;
        _ = std.posix.open("/", .{ .DIRECTORY = true, .CLOEXEC = true }, 0) catch return;
    }
}

/// std's fcntl takes it for granted that the descriptor is open.
fn isOpen(descriptor: std.posix.fd_t) bool {
    const flag = std.posix.F.GETFD;
    if (builtin.os.tag == .linux) return std.os.linux.E.init(std.os.linux.fcntl(descriptor, flag, 0)) == .SUCCESS;
    return std.c.fcntl(descriptor, flag, @as(c_int, 0)) != -1;
}

/// Does not return unless the program cannot be started.
pub fn start(arena: Allocator, arguments: []const [:0]const u8, environment: *Environment) anyerror {
    if (builtin.os.tag == .windows) return child.run(arena, arguments, environment);
    const argv = try arena.allocSentinel(?[*:0]const u8, arguments.len, null);
    for (arguments, argv) |argument, *slot| slot.* = argument.ptr;
    return std.posix.execveZ(argv[0].?, argv.ptr, try environment.block());
}

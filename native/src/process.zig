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

/// How a program ended.
pub const Ending = union(enum) {
    exit: u32,
    signal: u32,

    /// Whether the program exited with status 0.
    pub fn isSuccess(ending: Ending) bool {
        return ending == .exit and ending.exit == 0;
    }
};

/// Starts a program and waits for its end. The program ends with this process, and it handles Ctrl-C.
pub fn run(arena: Allocator, arguments: []const [:0]const u8, environment: *Environment) anyerror!Ending {
    if (builtin.os.tag == .windows) return .{ .exit = try child.wait(arena, arguments, environment) };
    const argv = try pointers(arena, arguments);
    const block = try environment.block();
    // The child writes to it why the program cannot be started. A program that starts closes it.
    const pipe = try std.posix.pipe2(.{ .CLOEXEC = true });
    defer std.posix.close(pipe[0]);
    const before = ignoreKeys();
    const launcher = processId();
    const pid = std.posix.fork() catch |err| {
        restoreKeys(before);
        std.posix.close(pipe[1]);
        return err;
    };
    if (pid == 0) {
        restoreKeys(before);
        endWithParent(launcher);
        const code: ErrorCode = @intFromError(std.posix.execveZ(argv[0].?, argv.ptr, block));
        _ = std.posix.write(pipe[1], std.mem.asBytes(&code)) catch {};
        exitForked();
    }
    std.posix.close(pipe[1]);
    const status = std.posix.waitpid(pid, 0).status;
    restoreKeys(before);
    var code: ErrorCode = 0;
    if (try std.posix.read(pipe[0], std.mem.asBytes(&code)) == @sizeOf(ErrorCode)) return @errorFromInt(code);
    if (std.posix.W.IFEXITED(status)) return .{ .exit = std.posix.W.EXITSTATUS(status) };
    const signal = std.posix.W.TERMSIG(status);
    if (signal == std.posix.SIG.INT) std.posix.raise(std.posix.SIG.INT) catch {};
    return .{ .signal = signal };
}

const ErrorCode = std.meta.Int(.unsigned, @bitSizeOf(anyerror));

/// The signals of Ctrl-C and Ctrl-\, which every process of the terminal gets.
const keys = [_]u6{ std.posix.SIG.INT, std.posix.SIG.QUIT };

fn ignoreKeys() [keys.len]std.posix.Sigaction {
    const ignore: std.posix.Sigaction = .{
        .handler = .{ .handler = std.posix.SIG.IGN },
        .mask = std.posix.sigemptyset(),
        .flags = 0,
    };
    var before: [keys.len]std.posix.Sigaction = undefined;
    for (keys, &before) |key, *slot| std.posix.sigaction(key, &ignore, slot);
    return before;
}

fn restoreKeys(before: [keys.len]std.posix.Sigaction) void {
    for (keys, &before) |key, *action| std.posix.sigaction(key, action, null);
}

fn processId() i32 {
    return if (builtin.os.tag == .linux) std.os.linux.getpid() else std.c.getpid();
}

/// Has the kernel kill this process when its parent dies (prctl(2)): the parent holds a lock for it.
fn endWithParent(parent: i32) void {
    if (builtin.os.tag != .linux) return;
    _ = std.posix.prctl(.SET_PDEATHSIG, .{@as(usize, std.posix.SIG.KILL)}) catch return;
    if (std.os.linux.getppid() != parent) exitForked();
}

fn exitForked() noreturn {
    if (builtin.os.tag == .linux) std.os.linux.exit_group(127);
    std.c._exit(127);
}

fn pointers(arena: Allocator, arguments: []const [:0]const u8) error{OutOfMemory}![:null]?[*:0]const u8 {
    const argv = try arena.allocSentinel(?[*:0]const u8, arguments.len, null);
    for (arguments, argv) |argument, *slot| slot.* = argument.ptr;
    return argv;
}

/// Returns only if the program cannot be started.
pub fn start(arena: Allocator, arguments: []const [:0]const u8, environment: *Environment) anyerror {
    if (builtin.os.tag == .windows) return child.run(arena, arguments, environment);
    const argv = try pointers(arena, arguments);
    return std.posix.execveZ(argv[0].?, argv.ptr, try environment.block());
}

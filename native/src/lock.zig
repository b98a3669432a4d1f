//! The lock of an installation: a file that one process at a time locks until it dies.
//!
//! It is locked by flock(2). If a system call filter or the file system does not support that, it is locked by
//! fcntl(2), with a lock that belongs to the open file as well. The two locks do not exclude each other, so a holder
//! of the latter unpacks under a name of its own.

const std = @import("std");
const builtin = @import("builtin");
const linux = std.os.linux;
const testing = std.testing;
const base_directory = @import("base.zig");
const file_changes = @import("file_changes.zig");
const kernel32 = @import("kernel32.zig");
const manifest = @import("manifest.zig");
const report = @import("report.zig");

const has_modes = builtin.os.tag != .windows;

pub const Method = enum { flock, fcntl };

/// Locks `file` if no other process has locked it. Null if one has.
pub fn tryExclusive(file: std.fs.File) !?Method {
    return lockFile(file, .not_at_all);
}

/// Locks `file`, and waits while another process has it locked.
pub fn exclusive(file: std.fs.File) !Method {
    return (try lockFile(file, .until_free)).?;
}

const Waiting = enum { not_at_all, until_free };

fn lockFile(file: std.fs.File, waiting: Waiting) !?Method {
    if (builtin.os.tag == .windows) return lockFileWindows(file, waiting);
    if (builtin.os.tag != .linux) {
        if (waiting == .until_free) {
            try file.lock(.exclusive);
            return .flock;
        }
        return if (try file.tryLock(.exclusive)) .flock else null;
    }
    const LOCK = std.posix.LOCK;
    const operation: i32 = if (waiting == .until_free) LOCK.EX else LOCK.EX | LOCK.NB;
    while (true) switch (linux.E.init(linux.flock(file.handle, operation))) {
        .SUCCESS => return .flock,
        .INTR => {},
        .AGAIN => return null,
        .NOSYS, .PERM, .ACCES, .OPNOTSUPP, .INVAL => return lockFileFcntl(file, waiting),
        .NOLCK => return error.FileLocksNotSupported,
        .IO => return error.InputOutput,
        else => |errno| return std.posix.unexpectedErrno(errno),
    };
}

/// The locked byte, which no file has: Windows lets no other process read or write a locked byte, and the file
/// contains a name.
const locked_byte = 1 << 62;

/// Calls LockFileEx, because std 0.15.2 has no tryLock that compiles.
fn lockFileWindows(file: std.fs.File, waiting: Waiting) !?Method {
    const windows = std.os.windows;
    const fail_immediately = 1;
    const exclusive_lock = 2;
    const flags: windows.DWORD = if (waiting == .until_free) exclusive_lock else exclusive_lock | fail_immediately;
    var place = std.mem.zeroes(windows.OVERLAPPED);
    place.DUMMYUNIONNAME.DUMMYSTRUCTNAME.OffsetHigh = locked_byte >> 32;
    if (kernel32.LockFileEx(file.handle, flags, 0, 1, 0, &place) != 0) return .flock;
    return switch (windows.GetLastError()) {
        .LOCK_VIOLATION, .IO_PENDING => null,
        .INVALID_FUNCTION, .NOT_SUPPORTED => error.FileLocksNotSupported,
        .ACCESS_DENIED => error.AccessDenied,
        else => error.InputOutput,
    };
}

/// fcntl(2), "Open file description locks", since Linux 3.15.
fn lockFileFcntl(file: std.fs.File, waiting: Waiting) !?Method {
    if (@sizeOf(usize) != 8) return error.FileLocksNotSupported; // where numbers and structures differ
    const set_lock = 37;
    const set_lock_and_wait = 38;
    const whole_file = extern struct {
        type: i16 = 1, // F_WRLCK
        whence: i16 = 0,
        start: i64 = 0,
        length: i64 = 0,
        process: i32 = 0,
    };
    var wanted: whole_file = .{};
    const command: i32 = if (waiting == .until_free) set_lock_and_wait else set_lock;
    while (true) switch (linux.E.init(linux.fcntl(file.handle, command, @intFromPtr(&wanted)))) {
        .SUCCESS => return .fcntl,
        .INTR => {},
        .AGAIN, .ACCES => return null,
        .IO => return error.InputOutput,
        else => return error.FileLocksNotSupported,
    };
}

/// The right to write to an installation. One process at a time holds it, until it dies.
pub const Lock = struct {
    file: std.fs.File,
    method: Method = .flock,

    const silent_wait_ns = 500 * std.time.ns_per_ms;

    /// `installed` is the name of the installation.
    pub fn open(base: std.fs.Dir, installed: []const u8) !std.fs.File {
        var name: base_directory.Name = undefined;
        const path = std.fmt.bufPrint(&name, "{s}/{s}", .{ base_directory.locks_directory, installed }) catch
            unreachable; // our own directory and 64 digits
        return file_changes.openOrCreate(base, path, if (has_modes) 0o600 else 0);
    }

    /// Waits for the holder. On a terminal, a note reports a wait of more than half a second.
    pub fn acquire(base: std.fs.Dir, file: manifest.File, application: []const u8) !Lock {
        const locked = try open(base, file.installedName());
        errdefer locked.close();
        if (try tryExclusive(locked)) |method| return .{ .file = locked, .method = method };
        var waited: u64 = 0;
        const step = 10 * std.time.ns_per_ms;
        while (waited < silent_wait_ns) : (waited += step) {
            std.Thread.sleep(step);
            if (try tryExclusive(locked)) |method| return .{ .file = locked, .method = method };
        }
        if (std.fs.File.stderr().isTty()) report.note(application, "waiting for another process to unpack {s}", .{file.name});
        return .{ .file = locked, .method = try exclusive(locked) };
    }

    /// Records the application that makes the installation, for people.
    pub fn recordApplication(lock: Lock, application: []const u8) void {
        lock.file.setEndPos(0) catch return;
        lock.file.pwriteAll(application, 0) catch return;
    }

    /// Closes the file, which releases the lock.
    pub fn release(lock: Lock) void {
        lock.file.close();
    }
};

test "both kinds of lock exclude others until the file is closed" {
    const LockFile = *const fn (std.fs.File, Waiting) anyerror!?Method;
    const has_two = builtin.os.tag == .linux and @sizeOf(usize) == 8;
    const methods: []const LockFile = if (has_two) &.{ lockFileAnyError, lockFileFcntlAnyError } else &.{lockFileAnyError};
    var tmp = testing.tmpDir(.{});
    defer tmp.cleanup();
    for (methods) |method| {
        const first = try tmp.dir.createFile("lock", .{});
        const second = try tmp.dir.createFile("lock", .{});
        defer second.close();
        try testing.expect(try method(first, .not_at_all) != null);
        try testing.expectEqual(null, try method(second, .not_at_all));
        first.close();
        try testing.expect(try method(second, .until_free) != null);
    }
}

fn lockFileAnyError(file: std.fs.File, waiting: Waiting) anyerror!?Method {
    return lockFile(file, waiting);
}

fn lockFileFcntlAnyError(file: std.fs.File, waiting: Waiting) anyerror!?Method {
    return lockFileFcntl(file, waiting);
}

//! Files in memory (memfd_create(2)) for executables, where the file system is mounted noexec.
//!
//! A symbolic link takes the place of each file. It points to this process's descriptor of the file, which the
//! application inherits: `/proc/<pid>/fd/<n>` exists until the application ends.

const std = @import("std");
const builtin = @import("builtin");
const testing = std.testing;
const linux = std.os.linux;

/// Lower descriptors belong to the application: standard handles, and systemd's socket activation (sd_listen_fds(3)).
const first_descriptor = 10;

/// Since Linux 6.3, `vm.memfd_noexec` makes a file without this flag of memfd_create(2) not executable.
const executable_flag = 0x10;

/// Why the system has no such files; null if it has.
pub fn problem() ?[]const u8 {
    if (builtin.os.tag != .linux) return "it needs Linux";
    var buffer: [std.fs.max_path_bytes]u8 = undefined;
    const self = std.fs.cwd().readLink("/proc/self", &buffer) catch return "/proc is not mounted";
    const process = std.fmt.parseUnsigned(linux.pid_t, self, 10) catch return "/proc is not mounted";
    if (process != linux.getpid()) return "/proc belongs to another PID namespace";
    const file = createMemoryFile("probe") catch |err| return switch (err) {
        error.AccessDenied => "memfd_create(2): EACCES (vm.memfd_noexec is 2)",
        else => "memfd_create(2) is missing or forbidden",
    };
    file.close();
    return null;
}

/// The least length of a large file. Large files are few, and in memory they leave space for the others: /dev/shm
/// often has 64 MB.
const large_length = 1 << 20;

/// Whether a file belongs in memory: programs, scripts and shared libraries, which must be executable, and large
/// files.
pub fn belongsInMemory(path: []const u8, mode: u32, length: u64) bool {
    if (mode & 0o111 != 0 or length >= large_length) return true;
    const name = std.fs.path.basename(path);
    return std.mem.endsWith(u8, name, ".so") or std.mem.indexOf(u8, name, ".so.") != null;
}

/// Creates a file in memory, and the link `path` in `directory` to it. The caller writes the content to the returned
/// file, and may close it.
pub fn create(directory: std.fs.Dir, path: []const u8) !std.fs.File {
    const file = try createMemoryFile(std.fs.path.basename(path));
    errdefer file.close();
    const kept = try duplicateForApplication(file.handle);
    var buffer: [64]u8 = undefined;
    const target = std.fmt.bufPrint(&buffer, "/proc/{d}/fd/{d}", .{ linux.getpid(), kept }) catch unreachable;
    try directory.symLink(target, path, .{});
    return file;
}

fn createMemoryFile(name: []const u8) !std.fs.File {
    var buffer: [64:0]u8 = @splat(0);
    const length = @min(name.len, buffer.len);
    @memcpy(buffer[0..length], name[0..length]);
    var result = linux.memfd_create(&buffer, linux.MFD.CLOEXEC | executable_flag);
    if (linux.E.init(result) == .INVAL) result = linux.memfd_create(&buffer, linux.MFD.CLOEXEC);
    return switch (linux.E.init(result)) {
        .SUCCESS => .{ .handle = @intCast(result) },
        .ACCES => error.AccessDenied,
        .MFILE => error.ProcessFdQuotaExceeded,
        .NFILE => error.SystemFdQuotaExceeded,
        .NOMEM => error.SystemResources,
        else => error.Unexpected,
    };
}

/// Duplicates a descriptor for the application to inherit.
pub fn duplicateForApplication(descriptor: linux.fd_t) !linux.fd_t {
    const result = linux.fcntl(descriptor, linux.F.DUPFD, first_descriptor);
    return switch (linux.E.init(result)) {
        .SUCCESS => @intCast(result),
        .MFILE, .INVAL => error.ProcessFdQuotaExceeded,
        else => error.Unexpected,
    };
}

test "programs, scripts, shared libraries and large files belong in memory" {
    for ([_][]const u8{ "lib/libz.so.1.2", "a/_b.cpython-313-x86_64-linux-gnu.so", "x.so" }) |path| {
        try testing.expect(belongsInMemory(path, 0o644, 1));
    }
    try testing.expect(belongsInMemory("bin/say", 0o755, 1));
    try testing.expect(belongsInMemory("lib/data", 0o644, large_length));
    try testing.expect(!belongsInMemory("lib/libz.sock", 0o644, 1));
    try testing.expect(!belongsInMemory("dir.so/text", 0o644, 1));
}

test "a file in memory is read through its link" {
    if (builtin.os.tag != .linux or problem() != null) return error.SkipZigTest;
    var tmp = testing.tmpDir(.{});
    defer tmp.cleanup();
    const file = try create(tmp.dir, "program");
    try file.writeAll("content");
    file.close();
    var buffer: [16]u8 = undefined;
    try testing.expectEqualStrings("content", try tmp.dir.readFile("program", &buffer));
    var target: [64]u8 = undefined;
    const link = try tmp.dir.readLink("program", &target);
    const kept = try std.fmt.parseUnsigned(linux.fd_t, std.fs.path.basename(link), 10);
    try testing.expect(kept >= first_descriptor);
    _ = linux.close(kept);
}

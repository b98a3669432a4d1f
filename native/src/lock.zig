//! The lock of an installation: a file that one process at a time holds locked until it dies.

const std = @import("std");
const builtin = @import("builtin");
const base_directory = @import("base.zig");
const manifest = @import("manifest.zig");
const report = @import("report.zig");

const has_modes = builtin.os.tag != .windows;

/// The right to write below an installation's name, held by one process at a time until it dies.
pub const Lock = struct {
    file: std.fs.File,

    const patience_ns = 500 * std.time.ns_per_ms;

    pub fn open(base: std.fs.Dir, digest: []const u8) !std.fs.File {
        var name: base_directory.Name = undefined;
        const path = std.fmt.bufPrint(&name, "{s}/{s}", .{ base_directory.locks_directory, digest }) catch
            unreachable; // our own directory and 64 digits
        return base.createFile(path, .{ .truncate = false, .mode = if (has_modes) 0o600 else 0 });
    }

    /// Waits for whoever has it. A wait that a person would notice is told on a terminal.
    pub fn acquire(base: std.fs.Dir, file: manifest.File, application: []const u8) !Lock {
        const lock: Lock = .{ .file = try open(base, file.digest) };
        errdefer lock.file.close();
        if (builtin.os.tag == .windows) { // where std 0.15.2 has no tryLock that compiles
            try lock.file.lock(.exclusive);
            return lock;
        }
        if (try lock.file.tryLock(.exclusive)) return lock;
        var waited: u64 = 0;
        const step = 10 * std.time.ns_per_ms;
        while (waited < patience_ns) : (waited += step) {
            std.Thread.sleep(step);
            if (try lock.file.tryLock(.exclusive)) return lock;
        }
        if (std.fs.File.stderr().isTty()) report.note(application, "waiting for another process that unpacks {s}", .{file.name});
        try lock.file.lock(.exclusive);
        return lock;
    }

    /// Says for people who made the installation.
    pub fn sign(lock: Lock, application: []const u8) void {
        lock.file.setEndPos(0) catch return;
        lock.file.pwriteAll(application, 0) catch return;
    }

    pub fn release(lock: Lock) void {
        lock.file.close();
    }
};

//! How the launcher says no: one error in plain words on standard error, and how to mend it.

const std = @import("std");

/// The exit status of a start that failed before the application could run.
pub const exit_status = 1;

/// Writes `name: error: …` and ends the process. Lines after the first are details and a hint.
pub fn fatal(name: []const u8, comptime format: []const u8, arguments: anytype) noreturn {
    var buffer: [1024]u8 = undefined;
    var writer = std.fs.File.stderr().writerStreaming(&buffer);
    writer.interface.print("{s}: error: " ++ format ++ "\n", .{name} ++ arguments) catch {};
    writer.interface.flush() catch {};
    std.process.exit(exit_status);
}

/// Writes a line that does not end the process.
pub fn note(name: []const u8, comptime format: []const u8, arguments: anytype) void {
    var buffer: [1024]u8 = undefined;
    var writer = std.fs.File.stderr().writerStreaming(&buffer);
    writer.interface.print("{s}: note: " ++ format ++ "\n", .{name} ++ arguments) catch {};
    writer.interface.flush() catch {};
}

/// What an error of the system means to a person.
pub fn words(err: anyerror) []const u8 {
    return switch (err) {
        error.AccessDenied, error.PermissionDenied => "permission denied",
        error.FileNotFound => "no such file or directory",
        error.NotDir => "a component of its path is not a directory",
        error.IsDir => "it is a directory",
        error.NotAFile => "it is not a file",
        error.SymLinkLoop => "too many symbolic links, or one where none may be",
        error.BadPathName => "its path has a colon, which stands between directories of libraries",
        error.NameTooLong => "its path is too long",
        error.ReadOnlyFileSystem => "read-only file system",
        error.NoSpaceLeft => "no space left on the device",
        error.DiskQuota => "the disk quota is used up",
        error.FileTooBig => "a file would become larger than the limit (ulimit -f)",
        error.ProcessFdQuotaExceeded, error.SystemFdQuotaExceeded => "too many open files (ulimit -n)",
        error.OutOfMemory, error.SystemResources => "out of memory",
        error.MemoryLimit => "the limit of memory is too small",
        error.InputOutput => "an input/output error of the device",
        error.PathAlreadyExists => "it exists already",
        error.InvalidExe => "the system does not know this kind of program",
        error.FileLocksNotSupported => "the file system has no locks",
        error.CorruptZip, error.CorruptPlan, error.CorruptEntry, error.CorruptFrame => "the file is damaged",
        error.Unexpected => "an error of the system that is not expected here",
        else => @errorName(err),
    };
}

//! Locates the running executable, and the end of its payload.

const std = @import("std");
const builtin = @import("builtin");
const file_status = @import("file_status.zig");
const mach_o = @import("mach_o.zig");
const pe = @import("pe.zig");

pub const Executable = struct {
    file: std.fs.File,
    /// Absolute, and without symbolic links if the system can resolve them.
    path: []const u8,
    /// The offset after the payload's last byte. A signature may follow.
    payload_end: u64,
    /// Whether /proc gave the path. Without /proc, other things need another way too.
    found_in_proc: bool,
    /// Whether other users cannot read it.
    is_private: bool,
};

pub const Error = error{ NotFound, Unreadable, ProcessFdQuotaExceeded, SystemFdQuotaExceeded };

/// Opens the running executable. `buffer` receives its path.
pub fn open(buffer: *[std.fs.max_path_bytes]u8) Error!Executable {
    var found_in_proc = true;
    const file = openFile(&found_in_proc) catch |err| return switch (err) {
        error.AccessDenied, error.PermissionDenied => error.Unreadable,
        error.ProcessFdQuotaExceeded, error.SystemFdQuotaExceeded => |quota| quota,
        else => error.NotFound,
    };
    const path = ownPath(buffer) orelse fallbackPath(buffer) orelse return error.NotFound;
    const status = file_status.of(file) catch return error.Unreadable;
    return .{
        .file = file,
        .path = path,
        .payload_end = payloadEnd(file, status.size),
        .found_in_proc = found_in_proc,
        .is_private = builtin.os.tag != .windows and status.mode & 0o004 == 0,
    };
}

/// std queries the volume, which Windows may hide from a process in a container or under wine.
fn ownPath(buffer: *[std.fs.max_path_bytes]u8) ?[]const u8 {
    if (builtin.os.tag != .windows) return std.fs.selfExePath(buffer) catch null;
    const image = std.os.windows.peb().ProcessParameters.ImagePathName;
    const path = (image.Buffer orelse return null)[0 .. image.Length / 2];
    return buffer[0..std.unicode.wtf16LeToWtf8(buffer, path)];
}

fn openFile(found_in_proc: *bool) !std.fs.File {
    return std.fs.openSelfExe(.{}) catch |err| {
        if (builtin.os.tag != .linux) return err;
        const name = executedName() orelse return err;
        found_in_proc.* = false;
        return std.fs.cwd().openFile(name, .{});
    };
}

/// Without /proc, the kernel still reports the executed name (AT_EXECFN, getauxval(3)).
fn executedName() ?[]const u8 {
    if (builtin.os.tag == .linux) {
        const address = std.os.linux.getauxval(std.elf.AT_EXECFN);
        if (address != 0) return std.mem.span(@as([*:0]const u8, @ptrFromInt(address)));
    }
    return null;
}

fn fallbackPath(buffer: *[std.fs.max_path_bytes]u8) ?[]const u8 {
    const name = executedName() orelse return null;
    if (std.fs.path.isAbsolute(name)) return name;
    const directory = std.process.getCwd(buffer) catch return null;
    if (directory.len + 1 + name.len > buffer.len) return null;
    buffer[directory.len] = '/';
    @memcpy(buffer[directory.len + 1 ..][0..name.len], name);
    return buffer[0 .. directory.len + 1 + name.len];
}

/// In ELF, the payload ends with the file; in Mach-O, before the signature; in PE, before the certificate table, which
/// signing appends (PE format, "Attribute Certificate Table").
fn payloadEnd(file: std.fs.File, size: u64) u64 {
    return switch (builtin.os.tag) {
        .macos => mach_o.signatureOffset(file, size) orelse size,
        .windows => pe.certificateTable(file, size) orelse size,
        else => size,
    };
}

//! The launcher of the running executable as it was built, without the changes of signing.

const std = @import("std");
const builtin = @import("builtin");
const file_changes = @import("../file_changes.zig");
const mach_o = @import("../mach_o.zig");
const pe = @import("../pe.zig");
const Sha256 = @import("../sha256.zig").Sha256;

/// Copies the launcher, the first `length` bytes of `from`, to the empty file `to`.
pub fn copy(from: std.fs.File, to: std.fs.File, length: u64) !void {
    try file_changes.appendRange(from, to, 0, length);
    var buffer: HeadBuffer = undefined;
    try to.pwriteAll(try readBareHead(from, length, &buffer), 0);
    // On Windows, pwriteAll moves the file position.
    try to.seekTo(length);
}

/// Updates `hash` with the launcher, the first `length` bytes of `file`.
pub fn digest(file: std.fs.File, length: u64, hash: *Sha256) !void {
    var head_buffer: HeadBuffer = undefined;
    const head = try readBareHead(file, length, &head_buffer);
    hash.update(head);
    var offset: u64 = head.len;
    var buffer: [16 << 10]u8 = undefined;
    while (offset < length) {
        const chunk = buffer[0..@intCast(@min(buffer.len, length - offset))];
        if (try file.preadAll(chunk, offset) != chunk.len) return error.CorruptZip;
        hash.update(chunk);
        offset += chunk.len;
    }
}

const HeadBuffer = switch (builtin.os.tag) {
    .macos => mach_o.HeadBuffer,
    .windows => pe.HeadBuffer,
    else => [0]u8,
};

/// The first bytes as they were before signing; none on systems that do not sign.
fn readBareHead(file: std.fs.File, length: u64, buffer: *HeadBuffer) ![]const u8 {
    return switch (builtin.os.tag) {
        .macos => mach_o.readBareHead(file, length, buffer),
        .windows => pe.readBareHead(file, buffer),
        else => buffer,
    };
}

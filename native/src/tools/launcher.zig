//! The launcher of the running executable, as it was built: without what signing changed.

const std = @import("std");
const builtin = @import("builtin");
const mach_o = @import("../mach_o.zig");
const range = @import("range.zig");
const Sha256 = @import("../sha256.zig").Sha256;

/// Appends the launcher, the first `length` bytes of `from`, to the empty file `to`.
pub fn copy(from: std.fs.File, to: std.fs.File, length: u64) !void {
    try range.copy(from, to, 0, length);
    if (builtin.os.tag != .macos) return;
    var buffer: mach_o.HeadBuffer = undefined;
    try to.pwriteAll(try mach_o.readBareHead(from, length, &buffer), 0);
}

/// Adds the launcher, the first `length` bytes of `file`, to `hash`.
pub fn digest(file: std.fs.File, length: u64, hash: *Sha256) !void {
    var offset: u64 = 0;
    if (builtin.os.tag == .macos) {
        var head_buffer: mach_o.HeadBuffer = undefined;
        const head = try mach_o.readBareHead(file, length, &head_buffer);
        hash.update(head);
        offset = head.len;
    }
    var buffer: [16 << 10]u8 = undefined;
    while (offset < length) {
        const chunk = buffer[0..@intCast(@min(buffer.len, length - offset))];
        if (try file.preadAll(chunk, offset) != chunk.len) return error.CorruptZip;
        hash.update(chunk);
        offset += chunk.len;
    }
}

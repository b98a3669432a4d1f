//! Windows executables with a payload after their sections: where the certificate table of a signature begins, and
//! which header fields signing changes.
//!
//! src/czscie/pe.py does the same at build time. Source: Microsoft's "PE Format".

const std = @import("std");
const testing = std.testing;
const file_status = @import("file_status.zig");

/// The signed bytes end on a multiple of it.
pub const alignment = 16;

/// The most bytes of headers: more than any linker writes.
pub const head_length_max = 4096;
pub const HeadBuffer = [head_length_max]u8;

pub const Error = error{CorruptZip};

const file_header_length = 24;
const optional_header_length = 112;
const section_header_length = 40;
const directory_length = 8;
const certificate_directory = 4;
const pe32_plus = 0x20b;

/// The places of the header fields that signing changes, and their values.
const Layout = struct {
    checksum: usize,
    certificates: usize,
    headers_length: usize,
    table: u32,
    subsystem: u16,

    /// The layout of the image that begins with `head`.
    fn parse(head: []const u8) Error!Layout {
        if (head.len < 0x40 or !std.mem.startsWith(u8, head, "MZ")) return error.CorruptZip;
        const start: usize = number(u32, head, 0x3c);
        const fixed_length = file_header_length + optional_header_length + directory_length * (certificate_directory + 1);
        if (start > head.len or head.len - start < fixed_length) return error.CorruptZip;
        if (!std.mem.eql(u8, head[start..][0..4], "PE\x00\x00")) return error.CorruptZip;
        const optional = start + file_header_length;
        if (number(u16, head, optional) != pe32_plus) return error.CorruptZip;
        const directories: usize = number(u32, head, optional + 108);
        const optional_length: usize = number(u16, head, start + 20);
        if (directories <= certificate_directory or directories > head_length_max) return error.CorruptZip;
        if (optional_length < optional_header_length + directories * directory_length) return error.CorruptZip;
        const sections: usize = number(u16, head, start + 6);
        const headers_length: usize = number(u32, head, optional + 60);
        if (sections == 0 or headers_length > head.len) return error.CorruptZip;
        if (optional + optional_length + sections * section_header_length > headers_length) return error.CorruptZip;
        const certificates = optional + optional_header_length + certificate_directory * directory_length;
        return .{
            .checksum = optional + 64,
            .certificates = certificates,
            .headers_length = headers_length,
            .table = number(u32, head, certificates),
            .subsystem = number(u16, head, optional + 68),
        };
    }
};

fn number(Number: type, head: []const u8, at: usize) Number {
    return std.mem.readInt(Number, head[at..][0..@sizeOf(Number)], .little);
}

/// The offset of the certificate table in `file`, which has `size` bytes; null without one.
pub fn certificateTable(file: std.fs.File, size: u64) ?u64 {
    var buffer: HeadBuffer = undefined;
    const length = file.preadAll(&buffer, 0) catch return null;
    const layout = Layout.parse(buffer[0..length]) catch return null;
    return if (layout.table == 0 or layout.table > size) null else layout.table;
}

/// Whether the image that begins with `head` is a program without a console.
pub fn isWindowed(head: []const u8) bool {
    const windows_gui = 2;
    const layout = Layout.parse(head) catch return false;
    return layout.subsystem == windows_gui;
}

/// Reads the headers of the image in `file` as they were before signing, into `buffer`.
pub fn readBareHead(file: std.fs.File, buffer: *HeadBuffer) ![]const u8 {
    const length = try file.preadAll(buffer, 0);
    const layout: Layout = try .parse(buffer[0..length]);
    @memset(buffer[layout.checksum..][0..4], 0);
    @memset(buffer[layout.certificates..][0..directory_length], 0);
    return buffer[0..layout.headers_length];
}

/// Writes CheckSum into the image in `file`, which is open for reading and writing: the sum of its 16-bit numbers with
/// their carries, with CheckSum as 0, plus the length of the file (ImageHlp's CheckSumMappedFile).
pub fn writeChecksum(file: std.fs.File) !void {
    var head: HeadBuffer = undefined;
    const layout: Layout = try .parse(head[0..try file.preadAll(&head, 0)]);
    const size = (try file_status.of(file)).size;
    try file.pwriteAll(&@as([4]u8, @splat(0)), layout.checksum);
    var sum: u64 = 0;
    var offset: u64 = 0;
    var buffer: [16 << 10]u8 = undefined;
    while (offset < size) {
        const length = try file.preadAll(buffer[0..@intCast(@min(buffer.len, size - offset))], offset);
        if (length == 0) return error.CorruptZip;
        if (length % 2 == 1) buffer[length] = 0;
        var at: usize = 0;
        while (at < length) : (at += 2) sum += number(u16, &buffer, at);
        offset += length;
    }
    while (sum > std.math.maxInt(u16)) sum = (sum & 0xffff) + (sum >> 16);
    var field: [4]u8 = undefined;
    std.mem.writeInt(u32, &field, @truncate(sum + size), .little);
    try file.pwriteAll(&field, layout.checksum);
}

const head_for_tests = head: {
    @setEvalBranchQuota(10_000);
    var head: [0x200]u8 = @splat(0);
    @memcpy(head[0..2], "MZ");
    std.mem.writeInt(u32, head[0x3c..][0..4], 0x80, .little);
    @memcpy(head[0x80..][0..4], "PE\x00\x00");
    std.mem.writeInt(u16, head[0x86..][0..2], 1, .little);
    std.mem.writeInt(u16, head[0x94..][0..2], 0xf0, .little);
    std.mem.writeInt(u16, head[0x98..][0..2], pe32_plus, .little);
    std.mem.writeInt(u32, head[0x98 + 60 ..][0..4], 0x200, .little);
    std.mem.writeInt(u16, head[0x98 + 68 ..][0..2], 2, .little);
    std.mem.writeInt(u32, head[0x98 + 108 ..][0..4], 16, .little);
    std.mem.writeInt(u32, head[0x98 + 112 + 32 ..][0..4], 0x180, .little);
    break :head head;
};

fn testFile(directory: std.fs.Dir, content: []const u8) !std.fs.File {
    const file = try directory.createFile("image", .{ .read = true });
    try file.writeAll(content);
    return file;
}

test "the certificate table ends the payload, and the signing fields are reset" {
    var tmp = testing.tmpDir(.{});
    defer tmp.cleanup();
    const file = try testFile(tmp.dir, &head_for_tests);
    defer file.close();
    try testing.expectEqual(0x180, certificateTable(file, head_for_tests.len).?);
    try testing.expectEqual(null, certificateTable(file, 0x17f));
    try testing.expect(isWindowed(&head_for_tests));
    try writeChecksum(file);
    var buffer: HeadBuffer = undefined;
    var bare = head_for_tests;
    @memset(bare[0x98 + 112 + 32 ..][0..4], 0);
    try testing.expectEqualSlices(u8, &bare, try readBareHead(file, &buffer));
}

test "the checksum matches a known sum" {
    var tmp = testing.tmpDir(.{});
    defer tmp.cleanup();
    const file = try testFile(tmp.dir, head_for_tests ++ "abc");
    defer file.close();
    try writeChecksum(file);
    var sum: u64 = "c"[0];
    var at: usize = 0;
    const whole = head_for_tests ++ "ab";
    while (at < whole.len) : (at += 2) sum += number(u16, whole, at);
    var field: [4]u8 = undefined;
    _ = try file.preadAll(&field, 0x98 + 64);
    try testing.expectEqual(sum % 0xffff + whole.len + 1, number(u32, &field, 0));
}

test "truncated or damaged headers are at most an error" {
    for (0..head_for_tests.len) |length| try testing.expectError(error.CorruptZip, Layout.parse(head_for_tests[0..length]));
    var head = head_for_tests;
    for (0..head.len) |at| for ([_]u8{ 0, 1, 0x7f, 0xff }) |byte| {
        head[at] = byte;
        _ = Layout.parse(&head) catch {};
        head[at] = head_for_tests[at];
    };
}

//! A stub: an executable of a permanent installation. It is a scie without parts: the launcher, and a manifest that
//! names the installation directory and gives every part a size of 0 bytes.

const std = @import("std");
const testing = std.testing;
const crc32 = @import("../crc32.zig").crc32;
const manifest = @import("../manifest.zig");
const placeholders = @import("../placeholders.zig");
const zip = @import("../zip.zig");
const Document = @import("document.zig").Document;

pub const Error = error{ManifestTooLong} || std.Io.Writer.Error || std.mem.Allocator.Error;

/// Returns the end of a stub: a zip without entries whose comment is the manifest. The stub starts `command` of
/// `document` by default, from the installation in `base`, with the bundled C library or without. Line feeds pad the
/// file to a multiple of `alignment` bytes.
pub fn tail(
    arena: std.mem.Allocator,
    document: Document,
    command: []const u8,
    base: []const u8,
    with_libc: bool,
    alignment: u16,
) Error![]const u8 {
    const text = try render(arena, try derive(arena, document, command, base, with_libc));
    const end = document.scie.jump.size +| (zip.end_record_length + text.len);
    const comment = try std.mem.concat(arena, u8, &.{ text, feeds[0..@intCast((alignment - end % alignment) % alignment)] });
    if (comment.len > manifest.length_max) return error.ManifestTooLong;
    var end_record = ("PK\x05\x06" ++ "\x00" ** 18).*;
    const launcher_length = std.math.cast(u32, document.scie.jump.size) orelse return error.ManifestTooLong;
    std.mem.writeInt(u32, end_record[16..20], launcher_length, .little);
    std.mem.writeInt(u16, end_record[20..22], @intCast(comment.len), .little);
    comptime std.debug.assert(end_record.len == zip.end_record_length);
    return std.mem.concat(arena, u8, &.{ &end_record, comment });
}

const feeds = "\n" ** 16;

fn derive(
    arena: std.mem.Allocator,
    document: Document,
    command: []const u8,
    base: []const u8,
    with_libc: bool,
) !Document {
    var derived = document;
    var parts: std.ArrayList(Document.Part) = try .initCapacity(arena, document.scie.lift.files.len);
    for (document.scie.lift.files) |part| {
        if (part.kind == .libc and !with_libc) continue;
        parts.appendAssumeCapacity(part);
        const derived_part = &parts.items[parts.items.len - 1];
        derived_part.offset = 0;
        derived_part.size = 0;
    }
    derived.scie.lift.files = parts.items;
    if (!with_libc) derived.scie.lift.libc = null;
    if (derived.scie.lift.libc) |*libc| libc.always = true;
    derived.scie.lift.base = try placeholders.escape(arena, base);
    var commands = try document.scie.lift.boot.commands.map.clone(arena);
    if (commands.get(command)) |chosen| try commands.put(arena, "", chosen);
    derived.scie.lift.boot.commands = .{ .map = commands };
    return derived;
}

/// The manifest as a line, with its checksum.
fn render(arena: std.mem.Allocator, document: Document) Error![]const u8 {
    var text: std.Io.Writer.Allocating = .init(arena);
    try text.writer.writeByte('\n');
    try std.json.Stringify.value(document, .{ .emit_null_optional_fields = false }, &text.writer);
    const body_length = text.written().len - 1; // the last brace follows the checksum
    const sum = crc32(0, text.written()[1..body_length]);
    text.shrinkRetainingCapacity(body_length);
    try text.writer.print(",\"crc32\":\"{x:0>8}\"}}\n", .{sum});
    return text.written();
}

const document_for_tests = "{\"scie\":{\"format\":1,\"jump\":{\"version\":\"0.1\",\"size\":4,\"hash\":\"ab\"},\"lift\":{\"name\":\"app\"," ++
    "\"files\":[{\"name\":\"python\",\"kind\":\"interpreter\",\"digest\":\"" ++ "ab" ** 32 ++
    "\",\"offset\":9000,\"size\":7,\"unpacked\":8}],\"boot\":{\"commands\":{" ++
    "\"\":{\"exe\":\"{python}/default\"},\"other\":{\"exe\":\"{python}/other\",\"env\":{\"=A\":null}}}}}}}";

test "a stub is a scie of its command in its directory, without parts" {
    var arena: std.heap.ArenaAllocator = .init(testing.allocator);
    defer arena.deinit();
    var tmp = testing.tmpDir(.{});
    defer tmp.cleanup();
    const document: Document = try .parse(arena.allocator(), document_for_tests);
    const bytes = try tail(arena.allocator(), document, "other", "/opt/app", false, 16);
    try testing.expectEqual(0, (4 + bytes.len) % 16);
    const file = try tmp.dir.createFile("stub", .{ .read = true });
    defer file.close();
    try file.writeAll("code");
    try file.writeAll(bytes);
    const lift = try manifest.read(arena.allocator(), file, 4 + bytes.len);
    try testing.expectEqualStrings("/opt/app", lift.base.?);
    try testing.expect(!lift.hasParts());
    const commands = lift.boot.commands.map;
    try testing.expectEqualStrings("{python}/other", commands.get("").?.exe);
    try testing.expectEqual(@as(?[]const u8, null), commands.get("").?.env.map.get("=A").?);
    try testing.expectEqual(2, commands.count());
}

test "a manifest that is too long for a zip comment is an error" {
    var arena: std.heap.ArenaAllocator = .init(testing.allocator);
    defer arena.deinit();
    const document: Document = try .parse(arena.allocator(), document_for_tests);
    try testing.expectError(error.ManifestTooLong, tail(arena.allocator(), document, "", "/x" ** 33_000, false, 1));
}

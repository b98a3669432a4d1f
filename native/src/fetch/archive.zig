//! Installs what was downloaded: as it is, or unpacked.

const std = @import("std");
const builtin = @import("builtin");
const testing = std.testing;
const Allocator = std.mem.Allocator;
const file_changes = @import("../file_changes.zig");
const tar = @import("tar.zig");
const zstd_stream = @import("zstd_stream.zig");

/// As the manifest calls them. `tar.Z` is zlib's format, as in scie-jump.
pub const Type = enum { blob, tar, @"tar.gz", @"tar.Z", @"tar.zst" };

const buffer_length = 256 << 10;

/// Puts `file` into the empty `directory`, at `path` or, of an archive, below it.
pub fn install(arena: Allocator, kind: Type, file: std.fs.File, directory: std.fs.Dir, path: []const u8, is_executable: bool) !void {
    var reader = file.reader(try arena.alloc(u8, buffer_length));
    const in = &reader.interface;
    switch (kind) {
        .blob => try copy(in, directory, path, is_executable),
        .tar => try tar.unpack(arena, in, directory, path),
        .@"tar.gz", .@"tar.Z" => {
            const container: std.compress.flate.Container = if (kind == .@"tar.gz") .gzip else .zlib;
            var decoder: std.compress.flate.Decompress = .init(in, container, try arena.alloc(u8, 4 * std.compress.flate.max_window_len));
            try tar.unpack(arena, &decoder.reader, directory, path);
        },
        .@"tar.zst" => {
            var decoder: zstd_stream.Stream = try .init(in, try arena.alloc(u8, buffer_length));
            try tar.unpack(arena, &decoder.reader, directory, path);
        },
    }
    flush(directory);
}

fn copy(in: *std.Io.Reader, directory: std.fs.Dir, path: []const u8, is_executable: bool) !void {
    if (std.fs.path.dirnamePosix(path)) |parent| try directory.makePath(parent);
    const mode: std.fs.File.Mode = if (builtin.os.tag == .windows) 0 else if (is_executable) 0o755 else 0o644;
    const file = try file_changes.create(directory, path, mode);
    defer file.close();
    while (true) {
        const piece = in.peekGreedy(1) catch |err| switch (err) {
            error.EndOfStream => return,
            else => return err,
        };
        try file.writeAll(piece);
        in.toss(piece.len);
    }
}

/// Writes everything to disk: there is no plan by which a start could find what a power cut damaged.
fn flush(directory: std.fs.Dir) void {
    switch (builtin.os.tag) {
        .linux => {
            // A directory that is opened for its path alone cannot be synchronised.
            var readable = directory.openDir(".", .{ .iterate = true }) catch return;
            defer readable.close();
            _ = std.os.linux.syncfs(readable.fd);
        },
        .macos => std.c.sync(),
        else => {},
    }
}

test "an archive is unpacked, and other content is refused" {
    var arena: std.heap.ArenaAllocator = .init(testing.allocator);
    defer arena.deinit();
    var tmp = testing.tmpDir(.{});
    defer tmp.cleanup();
    try tmp.dir.writeFile(.{ .sub_path = "content", .data = "no archive" ** 100 });
    try tmp.dir.makeDir("to");
    var to = try tmp.dir.openDir("to", .{});
    defer to.close();
    const file = try tmp.dir.openFile("content", .{});
    defer file.close();
    for ([_]Type{ .tar, .@"tar.gz", .@"tar.Z", .@"tar.zst" }) |kind| {
        try testing.expectError(error.InvalidArchive, install(arena.allocator(), kind, file, to, "a", false));
    }
    try install(arena.allocator(), .blob, file, to, "below/file", true);
    var buffer: [2000]u8 = undefined;
    try testing.expectEqualStrings("no archive" ** 100, try to.readFile("below/file", &buffer));
}

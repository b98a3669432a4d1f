//! Unpacks a tar (POSIX pax, GNU) that is not trusted: files, directories and links, all below one directory.
//!
//! Symbolic links are made when everything else exists, so nothing is written or read through a link.

const std = @import("std");
const builtin = @import("builtin");
const testing = std.testing;
const Allocator = std.mem.Allocator;
const file_changes = @import("../file_changes.zig");
const plan = @import("../plan.zig");

pub const Error = error{
    InvalidArchive,
    /// A member that is neither a file, a directory nor a link, or a path that leads out of the directory.
    UnsafeArchive,
};

const block_length = 512;
/// More members than any archive of a Python has, and a bound.
const members_max = 1 << 20;
const attribute_length_max = 1 << 20;

const has_modes = builtin.os.tag != .windows;

const Link = struct { path: []const u8, target: []const u8 };

/// What extended headers say of the next member.
const Attributes = struct {
    path: ?[]const u8 = null,
    target: ?[]const u8 = null,
    length: ?u64 = null,
};

/// Unpacks the tar that `in` reads into `directory`, below `prefix` unless that is empty.
pub fn unpack(arena: Allocator, in: *std.Io.Reader, directory: std.fs.Dir, prefix: []const u8) !void {
    var unpacking: Unpacking = .{ .arena = arena, .in = in, .directory = directory, .prefix = prefix };
    for (0..members_max) |_| {
        if (!try unpacking.next()) return unpacking.makeLinks();
    }
    return error.InvalidArchive;
}

const Unpacking = struct {
    arena: Allocator,
    in: *std.Io.Reader,
    directory: std.fs.Dir,
    prefix: []const u8,
    attributes: Attributes = .{},
    links: std.ArrayList(Link) = .empty,
    /// The directory that was made last.
    parent: []const u8 = "",

    /// Reads one member; false at the end.
    fn next(unpacking: *Unpacking) !bool {
        var block: [block_length]u8 = undefined;
        try unpacking.read(&block);
        if (std.mem.allEqual(u8, &block, 0)) return false;
        const header: Header = .{ .block = &block };
        if (!header.hasChecksum()) return error.InvalidArchive;
        const kind = header.kind();
        const length = if (kind == 'x' or kind == 'g' or kind == 'L' or kind == 'K') try header.length() else unpacking.attributes.length orelse try header.length();
        switch (kind) {
            'x' => try unpacking.readExtended(length),
            'g' => try unpacking.skip(padded(length)),
            'L' => unpacking.attributes.path = std.mem.sliceTo(try unpacking.text(length), 0),
            'K' => unpacking.attributes.target = std.mem.sliceTo(try unpacking.text(length), 0),
            else => {
                const attributes = unpacking.attributes;
                unpacking.attributes = .{};
                const path = attributes.path orelse try header.path(unpacking.arena);
                try unpacking.member(header, path, attributes.target, length);
            },
        }
        return true;
    }

    fn member(unpacking: *Unpacking, header: Header, name: []const u8, target: ?[]const u8, length: u64) !void {
        const path = try unpacking.place(name) orelse {
            // The archive's own directory.
            return if (header.kind() == '5') {} else error.UnsafeArchive;
        };
        switch (header.kind()) {
            0, '0', '7' => try unpacking.writeFile(path, try header.mode(), length),
            '5' => try unpacking.directory.makePath(path),
            '1' => {
                const original = try unpacking.place(target orelse header.target()) orelse return error.UnsafeArchive;
                try unpacking.makeParent(path);
                try unpacking.directory.copyFile(original, unpacking.directory, path, .{});
            },
            '2' => {
                const link: Link = .{ .path = path, .target = try unpacking.arena.dupe(u8, target orelse header.target()) };
                if (!staysWithin(link, unpacking.prefix)) return error.UnsafeArchive;
                try unpacking.links.append(unpacking.arena, link);
            },
            else => return error.UnsafeArchive,
        }
    }

    /// The place of the member `name`; null for the directory itself.
    fn place(unpacking: *Unpacking, name: []const u8) !?[]const u8 {
        var path: std.ArrayList(u8) = .empty;
        try path.appendSlice(unpacking.arena, unpacking.prefix);
        if (name.len > 0 and name[0] == '/') return error.UnsafeArchive;
        var components = std.mem.tokenizeScalar(u8, name, '/');
        var is_itself = true;
        while (components.next()) |component| {
            if (std.mem.eql(u8, component, ".")) continue;
            is_itself = false;
            if (path.items.len > 0) try path.append(unpacking.arena, '/');
            try path.appendSlice(unpacking.arena, component);
        }
        if (is_itself) return null;
        return if (plan.isPath(path.items)) path.items else error.UnsafeArchive;
    }

    fn makeParent(unpacking: *Unpacking, path: []const u8) !void {
        const parent = std.fs.path.dirnamePosix(path) orelse return;
        if (std.mem.eql(u8, parent, unpacking.parent)) return;
        try unpacking.directory.makePath(parent);
        unpacking.parent = parent;
    }

    fn writeFile(unpacking: *Unpacking, path: []const u8, mode: u32, length: u64) !void {
        try unpacking.makeParent(path);
        const permissions: std.fs.File.Mode = if (!has_modes) 0 else if (mode & 0o100 != 0) 0o755 else 0o644;
        const file = try file_changes.create(unpacking.directory, path, permissions);
        defer file.close();
        var left = length;
        while (left > 0) {
            const available = unpacking.in.peekGreedy(1) catch return error.InvalidArchive;
            const piece = available[0..@intCast(@min(left, available.len))];
            try file.writeAll(piece);
            unpacking.in.toss(piece.len);
            left -= piece.len;
        }
        try unpacking.skip(padded(length) - length);
    }

    fn makeLinks(unpacking: *Unpacking) !void {
        var paths: std.StringHashMapUnmanaged(void) = .empty;
        for (unpacking.links.items) |link| try paths.put(unpacking.arena, link.path, {});
        for (unpacking.links.items) |link| {
            // Below another link, what `staysWithin` says of the target does not hold.
            var above = link.path;
            while (std.fs.path.dirnamePosix(above)) |parent| : (above = parent) {
                if (paths.contains(parent)) return error.UnsafeArchive;
            }
            try unpacking.makeParent(link.path);
            try unpacking.directory.symLink(link.target, link.path, .{});
        }
    }

    /// Records of a pax header: `LENGTH KEY=VALUE\n` (POSIX, pax Extended Header).
    fn readExtended(unpacking: *Unpacking, length: u64) !void {
        var rest = try unpacking.text(length);
        while (rest.len > 0) {
            const space = std.mem.indexOfScalar(u8, rest, ' ') orelse return error.InvalidArchive;
            const size = std.fmt.parseInt(usize, rest[0..space], 10) catch return error.InvalidArchive;
            if (size <= space + 1 or size > rest.len or rest[size - 1] != '\n') return error.InvalidArchive;
            const record = rest[space + 1 .. size - 1];
            rest = rest[size..];
            const equals = std.mem.indexOfScalar(u8, record, '=') orelse return error.InvalidArchive;
            const key, const value = .{ record[0..equals], record[equals + 1 ..] };
            if (std.mem.eql(u8, key, "path")) unpacking.attributes.path = value;
            if (std.mem.eql(u8, key, "linkpath")) unpacking.attributes.target = value;
            if (std.mem.eql(u8, key, "size")) {
                unpacking.attributes.length = std.fmt.parseInt(u64, value, 10) catch return error.InvalidArchive;
            }
            if (std.mem.startsWith(u8, key, "GNU.sparse.")) return error.UnsafeArchive;
        }
    }

    fn text(unpacking: *Unpacking, length: u64) ![]u8 {
        if (length > attribute_length_max) return error.InvalidArchive;
        const content = try unpacking.arena.alloc(u8, @intCast(length));
        try unpacking.read(content);
        try unpacking.skip(padded(length) - length);
        return content;
    }

    fn read(unpacking: *Unpacking, buffer: []u8) !void {
        unpacking.in.readSliceAll(buffer) catch return error.InvalidArchive;
    }

    fn skip(unpacking: *Unpacking, length: u64) !void {
        unpacking.in.discardAll64(length) catch return error.InvalidArchive;
    }
};

fn padded(length: u64) u64 {
    return (length +| block_length - 1) / block_length * block_length;
}

/// Whether the target is a relative path that does not lead out of the directory, or of `prefix` in it. A `..` behind a
/// name is refused: the name may be that of a link.
fn staysWithin(link: Link, prefix: []const u8) bool {
    if (link.target.len == 0 or link.target[0] == '/') return false;
    if (builtin.os.tag == .windows) return false; // not every user may make links there
    if (std.mem.indexOfAny(u8, link.target, "\x00\\") != null) return false;
    var depth: usize = std.mem.count(u8, std.mem.trimLeft(u8, link.path[prefix.len..], "/"), "/");
    var is_below = false;
    var components = std.mem.tokenizeScalar(u8, link.target, '/');
    while (components.next()) |component| {
        if (std.mem.eql(u8, component, ".")) continue;
        if (!std.mem.eql(u8, component, "..")) {
            is_below = true;
        } else if (is_below or depth == 0) return false else depth -= 1;
    }
    return true;
}

/// POSIX ustar, "Interchange Format".
const Header = struct {
    block: *const [block_length]u8,

    fn kind(header: Header) u8 {
        return header.block[156];
    }

    fn mode(header: Header) Error!u32 {
        return std.math.cast(u32, try header.number(100, 8)) orelse error.InvalidArchive;
    }

    fn length(header: Header) Error!u64 {
        if (header.kind() == '2' or header.kind() == '1' or header.kind() == '5') return 0;
        return header.number(124, 12);
    }

    fn path(header: Header, arena: Allocator) error{OutOfMemory}![]const u8 {
        const name = std.mem.sliceTo(header.block[0..100], 0);
        const prefix = std.mem.sliceTo(header.block[345..500], 0);
        const is_posix = std.mem.eql(u8, header.block[257..263], "ustar\x00");
        if (!is_posix or prefix.len == 0) return arena.dupe(u8, name);
        return std.mem.concat(arena, u8, &.{ prefix, "/", name });
    }

    fn target(header: Header) []const u8 {
        return std.mem.sliceTo(header.block[157..257], 0);
    }

    /// Octal digits or, in GNU's form for large numbers, a binary one.
    fn number(header: Header, start: usize, width: usize) Error!u64 {
        const field = header.block[start..][0..width];
        if (field[0] & 0x80 != 0) {
            var value: u64 = field[0] & 0x7f;
            for (field[1..]) |byte| value = (std.math.mul(u64, value, 256) catch return error.InvalidArchive) + byte;
            return value;
        }
        const digits = std.mem.trim(u8, field, " \x00");
        return if (digits.len == 0) 0 else std.fmt.parseInt(u64, digits, 8) catch error.InvalidArchive;
    }

    fn hasChecksum(header: Header) bool {
        const wanted = header.number(148, 8) catch return false;
        var sum: u64 = 0;
        for (header.block, 0..) |byte, i| sum += if (i >= 148 and i < 156) ' ' else byte;
        return sum == wanted;
    }
};

fn memberForTests(comptime kind: u8, comptime name: []const u8, comptime target: []const u8, comptime content: []const u8) []const u8 {
    comptime {
        @setEvalBranchQuota(20_000);
        var block: [block_length]u8 = @splat(0);
        @memcpy(block[0..name.len], name);
        @memcpy(block[100..107], "0000755");
        _ = std.fmt.bufPrint(block[124..135], "{o:0>11}", .{content.len}) catch unreachable;
        block[156] = kind;
        @memcpy(block[157..][0..target.len], target);
        @memcpy(block[257..265], "ustar\x0000");
        var sum: u64 = 8 * ' ';
        for (block) |byte| sum += byte;
        _ = std.fmt.bufPrint(block[148..155], "{o:0>7}", .{sum}) catch unreachable;
        const whole = block;
        return &whole ++ content ++ "\x00" ** (padded(content.len) - content.len);
    }
}

fn unpackForTests(directory: std.fs.Dir, content: []const u8) !void {
    var arena: std.heap.ArenaAllocator = .init(testing.allocator);
    defer arena.deinit();
    var in: std.Io.Reader = .fixed(content);
    try unpack(arena.allocator(), &in, directory, "root");
}

const end_for_tests = "\x00" ** (2 * block_length);

test "files, directories and links are unpacked below the prefix" {
    if (builtin.os.tag == .windows) return error.SkipZigTest;
    var tmp = testing.tmpDir(.{});
    defer tmp.cleanup();
    const long = "d/" ++ "n" ** 150;
    const record = std.fmt.comptimePrint("{d} path={s}\n", .{ long.len + 10, long });
    try unpackForTests(tmp.dir, comptime memberForTests('5', "./", "", "") ++ memberForTests('2', "a/link", "../b/file", "") ++
        memberForTests('0', "b/file", "", "content" ** 200) ++ memberForTests('1', "hard", "b/file", "") ++
        memberForTests('x', "pax", "", record) ++ memberForTests('0', "short", "", "long") ++ end_for_tests);
    var buffer: [2000]u8 = undefined;
    try testing.expectEqualStrings("content" ** 200, try tmp.dir.readFile("root/a/link", &buffer));
    try testing.expectEqualStrings("content" ** 200, try tmp.dir.readFile("root/hard", &buffer));
    try testing.expectEqualStrings("long", try tmp.dir.readFile("root/" ++ long, &buffer));
}

test "what leads out of the directory is refused, and so is what is damaged" {
    const unsafe = [_][]const u8{
        comptime memberForTests('0', "../out", "", "x"),
        comptime memberForTests('0', "/out", "", "x"),
        comptime memberForTests('0', "a/../../out", "", "x"),
        comptime memberForTests('2', "link", "../out", ""),
        comptime memberForTests('2', "link", "/out", ""),
        comptime memberForTests('1', "hard", "../out", ""),
        comptime memberForTests('2', "here", ".", "") ++ memberForTests('2', "link", "here/..", ""),
        comptime memberForTests('2', "a/here", ".", "") ++ memberForTests('2', "a/here/link", "../..", "") ++ end_for_tests,
        comptime memberForTests('2', "a/here/link", "../..", "") ++ memberForTests('2', "a/here", ".", "") ++ end_for_tests,
        comptime memberForTests('3', "device", "", ""),
    };
    for (unsafe) |member| {
        var tmp = testing.tmpDir(.{});
        defer tmp.cleanup();
        try testing.expectError(error.UnsafeArchive, unpackForTests(tmp.dir, member));
    }
    const whole = comptime memberForTests('0', "file", "", "content") ++ end_for_tests;
    for ([_]usize{ 0, 1, 511, 512, 515, 1023, 1024, 1500 }) |length| {
        var tmp = testing.tmpDir(.{});
        defer tmp.cleanup();
        const result = unpackForTests(tmp.dir, whole[0..length]);
        try testing.expectError(error.InvalidArchive, result);
    }
}

test "no file is written through a link" {
    if (builtin.os.tag == .windows) return error.SkipZigTest;
    var tmp = testing.tmpDir(.{});
    defer tmp.cleanup();
    const members = comptime memberForTests('2', "a", "b", "") ++ memberForTests('0', "a/file", "", "x") ++ end_for_tests;
    try testing.expectError(error.PathAlreadyExists, unpackForTests(tmp.dir, members));
}

//! Damage: the differences between an installation and its plan.
//!
//! Cleaners of temporary directories delete single files. A power cut leaves files short, or at their full length and
//! full of zeros. Names and sizes show the former, with one system call for each file. The latter takes reading all
//! files: a file that is an entry of its own is compared by the entry's CRC-32, files that share an entry are compared
//! with the packed content.

const std = @import("std");
const builtin = @import("builtin");
const testing = std.testing;
const Allocator = std.mem.Allocator;
const Comparison = @import("comparison.zig").Comparison;
const control_group = @import("control_group.zig");
const crc32 = @import("crc32.zig").crc32;
const entry_content = @import("entry.zig");
const file_status = @import("file_status.zig");
const plan_text = @import("plan.zig");
const rendering = @import("rendering.zig");
const zip = @import("zip.zig");

const has_modes = builtin.os.tag != .windows;

const threads_max = 6;
/// The bytes of an installed file that are read at a time.
const piece_length = 256 << 10;

pub const Depth = enum { sizes, contents };

/// The comparison's input: `plan`, and the `directory` made from it, which is now at `places.root`.
pub const Subject = struct {
    directory: std.fs.Dir,
    places: rendering.Places,
    plan: plan_text.Plan,
    executable: std.fs.File,
    entries: std.StringHashMapUnmanaged(zip.Entry),
    data_end: u64,
};

pub const Damage = struct {
    /// For each directory, file and link of the plan: whether it is missing or differs.
    directories: []bool,
    files: []bool,
    links: []bool,

    fn none(arena: Allocator, plan: plan_text.Plan) error{OutOfMemory}!Damage {
        const made: Damage = .{
            .directories = try arena.alloc(bool, plan.directories.len),
            .files = try arena.alloc(bool, plan.files.len),
            .links = try arena.alloc(bool, plan.links.len),
        };
        for ([_][]bool{ made.directories, made.files, made.links }) |flags| @memset(flags, false);
        return made;
    }

    /// The path of a damaged item; null if there is none.
    pub fn first(damage: Damage, plan: plan_text.Plan) ?[]const u8 {
        if (std.mem.indexOfScalar(bool, damage.files, true)) |index| return plan.files[index].path;
        if (std.mem.indexOfScalar(bool, damage.links, true)) |index| return plan.links[index].path;
        if (std.mem.indexOfScalar(bool, damage.directories, true)) |index| return plan.directories[index];
        return null;
    }

    /// The part of `plan` that is damaged, with all of its directories.
    pub fn reduce(damage: Damage, arena: Allocator, plan: plan_text.Plan) error{OutOfMemory}!plan_text.Plan {
        var entries: std.ArrayList(plan_text.Entry) = .empty;
        var files: std.ArrayList(plan_text.File) = .empty;
        var links: std.ArrayList(plan_text.Link) = .empty;
        var patches: std.ArrayList(plan_text.Patch) = .empty;
        for (plan.entries) |entry| {
            const start: u32 = @intCast(files.items.len);
            for (plan.files[entry.files_start..entry.files_end], entry.files_start..) |file, index| {
                if (!damage.files[index]) continue;
                var kept = file;
                kept.entry = @intCast(entries.items.len);
                try files.append(arena, kept);
                try patches.appendSlice(arena, plan.patchesOf(file));
            }
            const end: u32 = @intCast(files.items.len);
            if (start == end) continue;
            var kept = entry;
            kept.files_start = start;
            kept.files_end = end;
            try entries.append(arena, kept);
        }
        for (plan.links, damage.links) |link, damaged| if (damaged) try links.append(arena, link);
        return .{
            .entries = entries.items,
            .directories = plan.directories,
            .files = files.items,
            .links = links.items,
            .patches = patches.items,
        };
    }
};

/// Finds the damage of `subject`. Errors come from the executable: a part of an installation that cannot be read
/// counts as damaged.
pub fn find(arena: Allocator, subject: Subject, depth: Depth) !Damage {
    const damage: Damage = try .none(arena, subject.plan);
    for (subject.plan.directories, damage.directories) |path, *damaged| damaged.* = !isDirectory(subject.directory, path);
    for (subject.plan.files, damage.files) |file, *damaged| damaged.* = !hasExpectedSize(subject, file);
    for (subject.plan.links, damage.links) |link, *damaged| damaged.* = !hasExpectedTarget(subject.directory, link);
    for (subject.plan.directories, damage.directories) |path, damaged| if (damaged) markBelow(damage, subject.plan, path);
    if (depth == .contents) try findInContents(subject, damage);
    return damage;
}

/// Marks everything below a damaged directory as damaged, although a link in the directory's place may lead to it.
fn markBelow(damage: Damage, plan: plan_text.Plan, directory: []const u8) void {
    for (plan.directories, damage.directories) |path, *damaged| damaged.* = damaged.* or isBelow(path, directory);
    for (plan.files, damage.files) |file, *damaged| damaged.* = damaged.* or isBelow(file.path, directory);
    for (plan.links, damage.links) |link, *damaged| damaged.* = damaged.* or isBelow(link.path, directory);
}

fn isBelow(path: []const u8, directory: []const u8) bool {
    return path.len > directory.len and path[directory.len] == '/' and std.mem.startsWith(u8, path, directory);
}

fn isDirectory(directory: std.fs.Dir, path: []const u8) bool {
    const status = file_status.atItself(directory, path) catch return false;
    return status.kind == .directory;
}

fn hasExpectedSize(subject: Subject, file: plan_text.File) bool {
    const status = file_status.atItself(subject.directory, file.path) catch return false;
    if (status.kind != .file) return false;
    if (has_modes and file.mode & 0o100 != 0 and status.mode & 0o100 == 0) return false;
    if (file.kind != .file) return status.size >= shortestRendered(file, subject.places);
    var length = file.length;
    for (subject.plan.patchesOf(file)) |patch| length = @max(length, patch.end());
    return status.size == length;
}

/// The least length of a rendered template. A template does not get shorter if the paths are longer than their
/// placeholders.
fn shortestRendered(file: plan_text.File, places: rendering.Places) u64 {
    const replaced = "{base}".len;
    if (places.base.len >= replaced and places.root.len >= replaced) return file.length;
    return @min(file.length, 1);
}

fn hasExpectedTarget(directory: std.fs.Dir, link: plan_text.Link) bool {
    if (builtin.os.tag == .windows) return if (file_status.checkExists(directory, link.path)) |_| true else |_| false;
    var buffer: [std.fs.max_path_bytes]u8 = undefined;
    const target = directory.readLink(link.path, &buffer) catch return false;
    return std.mem.eql(u8, target, link.target);
}

fn findInContents(subject: Subject, damage: Damage) !void {
    var search: Search = .{ .subject = subject, .damage = damage, .memory_limit = control_group.memoryLimit() };
    search.run();
    if (search.failure) |err| return err;
}

/// A thread on each core compares one entry at a time.
const Search = struct {
    subject: Subject,
    damage: Damage,
    memory_limit: ?u64,
    next_entry: std.atomic.Value(usize) = .init(0),
    mutex: std.Thread.Mutex = .{},
    failure: ?anyerror = null,

    fn run(search: *Search) void {
        var threads: [threads_max]std.Thread = undefined;
        var started: usize = 0;
        const useful = @min(std.Thread.getCpuCount() catch 1, threads_max, search.subject.plan.entries.len);
        const wanted = control_group.threads(search.memory_limit, useful);
        while (started + 1 < wanted) : (started += 1) {
            threads[started] = std.Thread.spawn(.{ .stack_size = 1 << 20 }, work, .{search}) catch break;
        }
        search.work();
        for (threads[0..started]) |thread| thread.join();
    }

    fn work(search: *Search) void {
        search.compareEntries() catch |err| {
            search.mutex.lock();
            defer search.mutex.unlock();
            search.failure = search.failure orelse err;
        };
    }

    fn compareEntries(search: *Search) !void {
        const subject = search.subject;
        var reader: entry_content.Reader = try .init(subject.executable);
        defer reader.deinit();
        reader.memory_limit = search.memory_limit;
        const piece = try std.heap.page_allocator.alloc(u8, piece_length);
        defer std.heap.page_allocator.free(piece);
        while (true) {
            const index = search.next_entry.fetchAdd(1, .monotonic);
            if (index >= subject.plan.entries.len) return;
            const entry = subject.plan.entries[index];
            const start, const end = .{ entry.files_start, entry.files_end };
            try compareEntry(subject, entry, &reader, piece, search.damage.files[start..end]);
        }
    }
};

fn compareEntry(
    subject: Subject,
    entry: plan_text.Entry,
    reader: *entry_content.Reader,
    piece: []u8,
    damaged: []bool,
) !void {
    const files = subject.plan.files[entry.files_start..entry.files_end];
    if (std.mem.indexOfScalar(bool, damaged, false) == null) return;
    if (entry.isSingleFile(files) and subject.plan.patchesOf(files[0]).len == 0) {
        damaged[0] = !matchesChecksum(subject.directory, files[0], entry.crc32, piece);
        return;
    }
    const there = subject.entries.get(entry.name) orelse return error.CorruptZip;
    if (there.length != entry.length or there.crc32 != entry.crc32) return error.CorruptZip;
    if (entry.length > plan_text.whole_entry_length_max) {
        var sink: Sink = .{ .comparison = begin(subject, files[0]) };
        try reader.stream(there, subject.data_end, &sink);
        damaged[0] = isDifferent(subject, &sink.comparison);
        return;
    }
    const content = try reader.read(there, subject.data_end);
    for (files, damaged) |file, *each| {
        if (each.*) continue;
        const slice = content[@intCast(file.offset)..][0..@intCast(file.length)];
        each.* = try differs(subject, file, slice);
    }
}

fn matchesChecksum(directory: std.fs.Dir, planned: plan_text.File, wanted: u32, piece: []u8) bool {
    const file = directory.openFile(planned.path, .{}) catch return false;
    defer file.close();
    var sum: u32 = 0;
    var offset: u64 = 0;
    while (true) {
        const length = file.preadAll(piece, offset) catch return false;
        sum = crc32(sum, piece[0..length]);
        offset += length;
        if (length < piece.len) return offset == planned.length and sum == wanted;
    }
}

fn differs(subject: Subject, file: plan_text.File, content: []const u8) !bool {
    var comparison = begin(subject, file);
    if (file.kind == .file) {
        comparison.feed(content);
    } else {
        var rendered: std.Io.Writer.Allocating = .init(std.heap.page_allocator);
        defer rendered.deinit();
        rendering.render(&rendered.writer, file, content, subject.places) catch return error.OutOfMemory;
        comparison.feed(rendered.written());
    }
    return isDifferent(subject, &comparison);
}

fn begin(subject: Subject, file: plan_text.File) Comparison {
    var comparison: Comparison = .begin(subject.directory, file);
    comparison.patches = subject.plan.patchesOf(file);
    return comparison;
}

fn isDifferent(subject: Subject, comparison: *Comparison) bool {
    comparison.feedPatches(subject.places);
    return comparison.end() != null;
}

const Sink = struct {
    comparison: Comparison,

    pub fn write(sink: *Sink, bytes: []const u8) !void {
        sink.comparison.feed(bytes);
    }
};

const Tree = struct {
    tmp: testing.TmpDir,
    archive: std.fs.File,
    subject: Subject,

    const large = "0123456789" ** 7;
    const group = "shared content {base} and more";

    /// An installation with a file that is an entry of its own, two files that share an entry, a link and two
    /// directories.
    fn make(arena: Allocator) !Tree {
        var tmp = testing.tmpDir(.{ .iterate = true });
        const archive = try tmp.dir.createFile("archive", .{ .read = true });
        var entries: std.StringHashMapUnmanaged(zip.Entry) = .empty;
        try append(arena, archive, &entries, "large", large);
        try append(arena, archive, &entries, "group", group);
        const text = try std.fmt.allocPrint(arena, "czscie-plan 1\n" ++
            "entry\t{d}\t{x}\t0\tlarge\nentry\t{d}\t{x}\t0\tgroup\n" ++
            "dir\tlib\ndir\tempty\n" ++
            "file\t755\t0\t0\t{d}\tlarge\n" ++
            "file\t644\t1\t0\t6\tlib/shared\nfill\t644\t1\t15\t15\tlib/filled\n" ++
            "link\tlink\tlib/shared\n", .{
            large.len, std.hash.Crc32.hash(large), group.len, std.hash.Crc32.hash(group), large.len,
        });
        try tmp.dir.makePath("root/lib");
        try tmp.dir.makePath("root/empty");
        const root = try tmp.dir.openDir("root", .{ .iterate = true });
        try write(root, "large", large, 0o755);
        try write(root, "lib/shared", "shared", 0o644);
        try write(root, "lib/filled", "/a/base and more", 0o644);
        try root.symLink("lib/shared", "link", .{});
        return .{ .tmp = tmp, .archive = archive, .subject = .{
            .directory = root,
            .places = .{ .base = "/a/base", .root = "/a/base/root" },
            .plan = try plan_text.parse(arena, text),
            .executable = archive,
            .entries = entries,
            .data_end = try file_status.length(archive),
        } };
    }

    fn append(
        arena: Allocator,
        archive: std.fs.File,
        entries: *std.StringHashMapUnmanaged(zip.Entry),
        name: []const u8,
        content: []const u8,
    ) !void {
        const offset = try file_status.length(archive);
        var header = ("PK\x03\x04" ++ "\x00" ** 26).*;
        std.mem.writeInt(u16, header[26..28], @intCast(name.len), .little);
        try archive.seekTo(offset);
        for ([_][]const u8{ &header, name, content }) |bytes| try archive.writeAll(bytes);
        try entries.put(arena, name, .{
            .name = name,
            .method = .stored,
            .crc32 = std.hash.Crc32.hash(content),
            .compressed_length = content.len,
            .length = content.len,
            .header_offset = offset,
        });
    }

    fn write(root: std.fs.Dir, path: []const u8, content: []const u8, mode: std.fs.File.Mode) !void {
        const file = try root.createFile(path, .{ .mode = mode });
        defer file.close();
        try file.writeAll(content);
    }

    fn deinit(tree: *Tree) void {
        tree.archive.close();
        tree.subject.directory.close();
        tree.tmp.cleanup();
    }

    fn expect(tree: Tree, arena: Allocator, depth: Depth, path: ?[]const u8) !void {
        const found = (try find(arena, tree.subject, depth)).first(tree.subject.plan);
        if (path) |wanted| try testing.expectEqualStrings(wanted, found.?) else try testing.expectEqual(null, found);
    }
};

test "an installation that matches its plan is not damaged" {
    if (!has_modes) return error.SkipZigTest;
    var arena: std.heap.ArenaAllocator = .init(testing.allocator);
    defer arena.deinit();
    var tree: Tree = try .make(arena.allocator());
    defer tree.deinit();
    try tree.expect(arena.allocator(), .sizes, null);
    try tree.expect(arena.allocator(), .contents, null);
    const damage = try find(arena.allocator(), tree.subject, .contents);
    try testing.expectEqual(0, (try damage.reduce(arena.allocator(), tree.subject.plan)).entries.len);
}

test "names and sizes show missing, short, replaced and not executable files" {
    if (!has_modes) return error.SkipZigTest;
    var arena: std.heap.ArenaAllocator = .init(testing.allocator);
    defer arena.deinit();
    for ([_][]const u8{ "large", "lib/shared", "lib/filled", "link", "empty" }) |path| {
        var tree: Tree = try .make(arena.allocator());
        defer tree.deinit();
        try tree.subject.directory.deleteTree(path);
        try tree.expect(arena.allocator(), .sizes, path);
        try tree.subject.directory.symLink("/", path, .{});
        try tree.expect(arena.allocator(), .sizes, path);
    }
    var tree: Tree = try .make(arena.allocator());
    defer tree.deinit();
    try Tree.write(tree.subject.directory, "lib/shared", "share", 0o644);
    try tree.expect(arena.allocator(), .sizes, "lib/shared");
    const large = try tree.subject.directory.openFile("large", .{});
    defer large.close();
    try large.chmod(0o644);
    try tree.expect(arena.allocator(), .sizes, "large");
}

test "only contents show zeros of the right length" {
    if (!has_modes) return error.SkipZigTest;
    var arena: std.heap.ArenaAllocator = .init(testing.allocator);
    defer arena.deinit();
    for ([_]struct { []const u8, usize }{
        .{ "large", Tree.large.len }, .{ "lib/shared", 6 }, .{ "lib/filled", 16 },
    }) |case| {
        var tree: Tree = try .make(arena.allocator());
        defer tree.deinit();
        try Tree.write(tree.subject.directory, case[0], ("\x00" ** 100)[0..case[1]], 0o755);
        try tree.expect(arena.allocator(), .sizes, null);
        try tree.expect(arena.allocator(), .contents, case[0]);
    }
}

test "files behind a link in place of a directory are damaged" {
    if (!has_modes) return error.SkipZigTest;
    var arena: std.heap.ArenaAllocator = .init(testing.allocator);
    defer arena.deinit();
    var tree: Tree = try .make(arena.allocator());
    defer tree.deinit();
    try tree.subject.directory.rename("lib", "moved");
    try tree.subject.directory.symLink("moved", "lib", .{});
    const damage = try find(arena.allocator(), tree.subject, .sizes);
    const reduced = try damage.reduce(arena.allocator(), tree.subject.plan);
    try testing.expectEqual(2, reduced.files.len);
    try testing.expectEqualStrings("lib/shared", reduced.files[0].path);
}

test "the plan of the damage has only the entries that it needs" {
    if (!has_modes) return error.SkipZigTest;
    var arena: std.heap.ArenaAllocator = .init(testing.allocator);
    defer arena.deinit();
    var tree: Tree = try .make(arena.allocator());
    defer tree.deinit();
    try tree.subject.directory.deleteFile("lib/filled");
    const damage = try find(arena.allocator(), tree.subject, .sizes);
    const reduced = try damage.reduce(arena.allocator(), tree.subject.plan);
    try testing.expectEqual(1, reduced.entries.len);
    try testing.expectEqualStrings("group", reduced.entries[0].name);
    try testing.expectEqual(0, reduced.entries[0].files_start);
    try testing.expectEqual(1, reduced.entries[0].files_end);
    try testing.expectEqualStrings("lib/filled", reduced.files[0].path);
    try testing.expectEqual(0, reduced.files[0].entry);
    try testing.expectEqual(0, reduced.links.len);
    try testing.expectEqual(2, reduced.directories.len);
}

//! A plan: the contents of an installation, and which bytes of which zip entries each file consists of.
//!
//! A plan is text with one item per line and fields separated by tabs (docs/reference/format.md has the grammar). In a
//! field, `\t`, `\n` and `\\` stand for a tab, a newline and a backslash, so a path can contain any byte but NUL. The
//! first line is `czscie-plan 1`. Entries come first, then directories, files in the order of their entries, links,
//! patches.

const std = @import("std");
const testing = std.testing;
const Allocator = std.mem.Allocator;

pub const Error = error{CorruptPlan} || Allocator.Error;

const first_line = "czscie-plan 1";

/// A larger entry contains one file and is decoded piece by piece; smaller ones are decoded whole.
pub const whole_entry_length_max = 8 << 20;

/// Linux's PATH_MAX, less the path of the installation directory.
const path_length_max = 3072;

/// The directories of installations below a base directory. A link may lead to another installation in them.
const kinds = [_][]const u8{ "interpreters", "apps", "files", "libcs" };

pub const Entry = struct {
    name: []const u8,
    length: u64,
    crc32: u32,
    /// In hexadecimal. Only the tool `verify` uses it.
    sha256: []const u8,
    /// The files in this entry: a range of `Plan.files`.
    files_start: u32 = 0,
    files_end: u32 = 0,

    /// Whether the entry is exactly one file, `files`, which need not be decoded whole.
    pub fn isSingleFile(entry: Entry, files: []const File) bool {
        return files.len == 1 and files[0].kind == .file and files[0].length == entry.length;
    }
};

pub const Kind = enum {
    /// The bytes are copied.
    file,
    /// A template: `{base}` and `{root}` stand for the base directory and the installation directory.
    fill,
    /// A script: the launcher writes the first line, which runs the installation's own Python.
    script,
};

pub const File = struct {
    path: []const u8,
    kind: Kind,
    /// Permission bits, before the umask.
    mode: u9,
    entry: u32,
    offset: u64,
    length: u64,
    /// For a script: the path of the interpreter below the installation, and its arguments, such as `bin/python -sE`.
    interpreter: []const u8 = "",
};

pub const Link = struct { path: []const u8, target: []const u8 };

/// Bytes that are written over an installed file, or after its end.
pub const Patch = struct {
    path: []const u8,
    offset: u64,
    what: union(enum) {
        /// Hexadecimal.
        bytes: []const u8,
        /// A template as in a `fill`, padded with NULs to the length.
        text: struct { length: u32, template: []const u8 },
        /// Bytes copied from the same file.
        copy: struct { source: u64, length: u32 },
    },

    /// The number of bytes that it writes.
    pub fn length(patch: Patch) u32 {
        return switch (patch.what) {
            .bytes => |hexadecimal| @intCast(hexadecimal.len / 2),
            .text => |text| text.length,
            .copy => |copy| copy.length,
        };
    }

    /// The offset after its last byte.
    pub fn end(patch: Patch) u64 {
        return patch.offset + patch.length();
    }

    /// More than the string table of any program.
    const length_max = 16 << 20;
    /// More than the length of any installed file.
    const offset_max = 1 << 48;

    fn check(patch: Patch) Error!void {
        const valid = switch (patch.what) {
            .bytes => |hexadecimal| hexadecimal.len % 2 == 0 and hexadecimal.len / 2 <= length_max,
            .text => |text| text.length > 0,
            .copy => |copy| copy.source <= offset_max,
        };
        if (!valid or patch.length() > length_max or patch.offset > offset_max) return error.CorruptPlan;
    }
};

/// Each patch repeats its path, and few programs have any.
const patches_max = 4096;

pub const Plan = struct {
    entries: []Entry,
    directories: []const []const u8,
    files: []const File,
    links: []const Link,
    patches: []const Patch = &.{},

    /// The patches of one file, which are consecutive.
    pub fn patchesOf(plan: Plan, file: File) []const Patch {
        var start: usize = 0;
        while (start < plan.patches.len and !std.mem.eql(u8, plan.patches[start].path, file.path)) start += 1;
        var end = start;
        while (end < plan.patches.len and std.mem.eql(u8, plan.patches[end].path, file.path)) end += 1;
        return plan.patches[start..end];
    }
};

/// Parses `text`. All slices of the result point into `text` or into memory of `arena`. Returns error.CorruptPlan for
/// anything that the grammar does not allow.
pub fn parse(arena: Allocator, text: []const u8) Error!Plan {
    var entries: std.ArrayList(Entry) = .empty;
    var directories: std.ArrayList([]const u8) = .empty;
    var files: std.ArrayList(File) = .empty;
    var links: std.ArrayList(Link) = .empty;
    var patches: std.ArrayList(Patch) = .empty;

    var lines = std.mem.splitScalar(u8, text, '\n');
    if (!std.mem.eql(u8, lines.first(), first_line)) return error.CorruptPlan;
    while (lines.next()) |line| {
        if (line.len == 0) {
            if (lines.next() != null) return error.CorruptPlan;
            break;
        }
        var fields: Fields = .{ .arena = arena, .parts = std.mem.splitScalar(u8, line, '\t') };
        const word = try fields.text();
        if (std.mem.eql(u8, word, "entry")) {
            try entries.append(arena, .{
                .length = try fields.number(u64, 10),
                .crc32 = try fields.number(u32, 16),
                .sha256 = try fields.text(),
                .name = try fields.text(),
            });
        } else if (std.mem.eql(u8, word, "dir")) {
            try directories.append(arena, try fields.path());
        } else if (std.mem.eql(u8, word, "link")) {
            try links.append(arena, .{ .path = try fields.path(), .target = try fields.target() });
        } else if (std.meta.stringToEnum(PatchKind, word)) |kind| {
            if (patches.items.len == patches_max) return error.CorruptPlan;
            try patches.append(arena, try parsePatch(&fields, kind, files.items));
        } else {
            const kind = std.meta.stringToEnum(Kind, word) orelse return error.CorruptPlan;
            const file = try parseFile(&fields, kind);
            try addFile(arena, entries.items, &files, file);
        }
        if (fields.parts.next() != null) return error.CorruptPlan;
    }
    const plan: Plan = .{
        .entries = entries.items,
        .directories = directories.items,
        .files = files.items,
        .links = links.items,
        .patches = patches.items,
    };
    try checkPaths(arena, plan);
    return plan;
}

/// Checks that no path occurs twice, and that none leads through a file or a link. Paths that are equal only to this
/// file system (case, normalisation) fail when the files are created: nothing is ever created over something else.
fn checkPaths(arena: Allocator, plan: Plan) Error!void {
    var paths: std.StringHashMapUnmanaged(void) = .empty;
    const count = plan.files.len + plan.links.len;
    try paths.ensureTotalCapacity(arena, std.math.cast(u32, count) orelse return error.CorruptPlan);
    for (plan.files) |file| if (paths.getOrPutAssumeCapacity(file.path).found_existing) return error.CorruptPlan;
    for (plan.links) |link| if (paths.getOrPutAssumeCapacity(link.path).found_existing) return error.CorruptPlan;

    var directory: []const u8 = "";
    var made: std.StringHashMapUnmanaged(void) = .empty;
    try made.ensureTotalCapacity(arena, std.math.cast(u32, plan.directories.len) orelse return error.CorruptPlan);
    for (plan.directories) |path| {
        if (made.getOrPutAssumeCapacity(path).found_existing or paths.contains(path)) return error.CorruptPlan;
        try checkParents(paths, path, &directory);
    }
    for (plan.files) |file| try checkParents(paths, file.path, &directory);
    for (plan.links) |link| {
        try checkParents(paths, link.path, &directory);
        if (!staysInBase(link)) return error.CorruptPlan;
    }
}

/// `last` is the directory that was checked last: neighbouring files are in the same one.
fn checkParents(paths: std.StringHashMapUnmanaged(void), path: []const u8, last: *[]const u8) Error!void {
    var above = std.fs.path.dirnamePosix(path) orelse return;
    if (std.mem.eql(u8, above, last.*)) return;
    last.* = above;
    while (true) {
        if (paths.contains(above)) return error.CorruptPlan;
        above = std.fs.path.dirnamePosix(above) orelse return;
    }
}

/// Whether a link leads to its own installation or to another one in the same base directory. A `..` after a name is
/// refused, because the name may be a link itself.
fn staysInBase(link: Link) bool {
    const depth = std.mem.count(u8, link.path, "/");
    var climbs: usize = 0;
    var rest = link.target;
    while (std.mem.eql(u8, rest, "..") or std.mem.startsWith(u8, rest, "../")) : (climbs += 1) {
        rest = if (rest.len == 2) "" else rest[3..];
    }
    if (rest.len == 0) return climbs > 0 and climbs <= depth;
    if (!std.mem.eql(u8, rest, ".") and !isPath(rest)) return false;
    if (climbs <= depth) return true;
    const slash = std.mem.indexOfScalar(u8, rest, '/') orelse return false;
    for (kinds) |kind| if (climbs == depth + 2 and std.mem.eql(u8, rest[0..slash], kind)) return true;
    return false;
}

/// Whether `path` is relative, without empty, `.` and `..` components, and has no other meaning on Windows.
pub fn isPath(path: []const u8) bool {
    if (path.len == 0 or path.len > path_length_max) return false;
    var components = std.mem.splitScalar(u8, path, '/');
    while (components.next()) |component| {
        if (component.len == 0 or std.mem.eql(u8, component, ".") or std.mem.eql(u8, component, "..")) return false;
        if (@import("builtin").os.tag == .windows and isReservedOnWindows(component)) return false;
    }
    return true;
}

/// Whether the name means something else on Windows: a device (`NUL.txt`), a stream (`a:b`), several components, or
/// another name, because Windows strips the end. https://learn.microsoft.com/windows/win32/fileio/naming-a-file
fn isReservedOnWindows(component: []const u8) bool {
    if (std.mem.indexOfAny(u8, component, "\\<>:\"|?*") != null) return true;
    for (component) |byte| if (byte < ' ') return true;
    const last = component[component.len - 1];
    if (last == '.' or last == ' ') return true;
    const stem = std.mem.trimRight(u8, component[0 .. std.mem.indexOfScalar(u8, component, '.') orelse component.len], " ");
    for ([_][]const u8{ "CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$" }) |device| {
        if (std.ascii.eqlIgnoreCase(stem, device)) return true;
    }
    if (stem.len < 4) return false;
    const port = std.ascii.eqlIgnoreCase(stem[0..3], "COM") or std.ascii.eqlIgnoreCase(stem[0..3], "LPT");
    // Superscripts count as digits: U+00B9, U+00B2, U+00B3.
    const superscript = stem.len == 5 and stem[3] == 0xc2 and std.mem.indexOfScalar(u8, "\xb9\xb2\xb3", stem[4]) != null;
    return port and (stem.len == 4 and std.ascii.isDigit(stem[3]) or superscript);
}

const PatchKind = enum { bytes, text, copy };

fn parsePatch(fields: *Fields, kind: PatchKind, files: []const File) Error!Patch {
    const offset = try fields.number(u64, 10);
    var patch: Patch = .{
        .offset = offset,
        .what = switch (kind) {
            .bytes => .{ .bytes = try fields.text() },
            .text => .{ .text = .{ .length = try fields.number(u32, 10), .template = try fields.text() } },
            .copy => .{ .copy = .{ .source = try fields.number(u64, 10), .length = try fields.number(u32, 10) } },
        },
        .path = try fields.path(),
    };
    try patch.check();
    for (files) |file| if (file.kind == .file and std.mem.eql(u8, file.path, patch.path)) {
        patch.path = file.path;
        return patch;
    };
    return error.CorruptPlan;
}

fn parseFile(fields: *Fields, kind: Kind) Error!File {
    return .{
        .kind = kind,
        .mode = try fields.number(u9, 8),
        .entry = try fields.number(u32, 10),
        .offset = try fields.number(u64, 10),
        .length = try fields.number(u64, 10),
        .interpreter = if (kind == .script) try fields.text() else "",
        .path = try fields.path(),
    };
}

/// Files are in the order of their entries, so the files of an entry are consecutive.
fn addFile(arena: Allocator, entries: []Entry, files: *std.ArrayList(File), file: File) Error!void {
    if (file.entry >= entries.len) return error.CorruptPlan;
    if (files.getLastOrNull()) |last| if (file.entry < last.entry) return error.CorruptPlan;
    const entry = &entries[file.entry];
    if (file.offset > entry.length or file.length > entry.length - file.offset) return error.CorruptPlan;

    const index = std.math.cast(u32, files.items.len) orelse return error.CorruptPlan;
    if (entry.files_start == entry.files_end) entry.files_start = index;
    entry.files_end = index + 1;
    if (entry.length > whole_entry_length_max) {
        const only = entry.files_end - entry.files_start == 1;
        if (!only or file.kind != .file or file.length != entry.length) return error.CorruptPlan;
    }
    try files.append(arena, file);
}

/// Reads the fields of a line in order.
pub const Fields = struct {
    arena: Allocator,
    parts: std.mem.SplitIterator(u8, .scalar),

    /// The next field, unescaped.
    pub fn text(fields: *Fields) Error![]const u8 {
        const raw = fields.parts.next() orelse return error.CorruptPlan;
        if (std.mem.indexOfScalar(u8, raw, 0) != null) return error.CorruptPlan;
        if (std.mem.indexOfScalar(u8, raw, '\\') == null) return raw;
        return unescape(fields.arena, raw);
    }

    /// The next field as a number in `base`.
    pub fn number(fields: *Fields, comptime T: type, base: u8) Error!T {
        const raw = fields.parts.next() orelse return error.CorruptPlan;
        if (raw.len == 0 or raw[0] == '+' or raw[0] == '-') return error.CorruptPlan;
        return std.fmt.parseUnsigned(T, raw, base) catch error.CorruptPlan;
    }

    /// A path that stays in its directory.
    pub fn path(fields: *Fields) Error![]const u8 {
        const found = try fields.text();
        if (!isPath(found)) return error.CorruptPlan;
        return found;
    }

    fn target(fields: *Fields) Error![]const u8 {
        const found = try fields.text();
        if (found.len == 0 or found.len > path_length_max) return error.CorruptPlan;
        return found;
    }
};

fn unescape(arena: Allocator, raw: []const u8) Error![]const u8 {
    const out = try arena.alloc(u8, raw.len);
    var length: usize = 0;
    var i: usize = 0;
    while (i < raw.len) : (i += 1) {
        out[length] = raw[i];
        if (raw[i] == '\\') {
            i += 1;
            if (i == raw.len) return error.CorruptPlan;
            out[length] = switch (raw[i]) {
                't' => '\t',
                'n' => '\n',
                '\\' => '\\',
                else => return error.CorruptPlan,
            };
        }
        length += 1;
    }
    return out[0..length];
}

/// A name with a tab, which Windows does not have.
const odd_name = if (@import("builtin").os.tag == .windows) "a b" else "a\\tb";

const sample =
    "czscie-plan 1\n" ++
    "entry\t10\t00c0ffee\tabcdef\tgroup.zip\n" ++
    "entry\t3\t1\tabcdef\tbig\n" ++
    "dir\tbin\n" ++
    "file\t644\t0\t0\t4\t" ++ odd_name ++ "\n" ++
    "script\t755\t0\t4\t6\tbin/python -sE\tbin/tool\n" ++
    "fill\t644\t1\t0\t3\tpyvenv.cfg\n" ++
    "link\tbin/python\t../../../interpreters/x/python\n" ++
    "bytes\t7\t00ff\t" ++ odd_name ++ "\n" ++
    "text\t9\t4096\t{base}/loader\t" ++ odd_name ++ "\n" ++
    "copy\t5000\t0\t4\t" ++ odd_name ++ "\n";

test "a plan names entries, directories, files and links" {
    var arena: std.heap.ArenaAllocator = .init(testing.allocator);
    defer arena.deinit();
    const plan = try parse(arena.allocator(), sample);
    try testing.expectEqual(2, plan.entries.len);
    try testing.expectEqual(0xc0ffee, plan.entries[0].crc32);
    try testing.expectEqual(2, plan.entries[0].files_end);
    try testing.expectEqual(2, plan.entries[1].files_start);
    try testing.expectEqualStrings(if (@import("builtin").os.tag == .windows) "a b" else "a\tb", plan.files[0].path);
    try testing.expectEqual(0o755, plan.files[1].mode);
    try testing.expectEqualStrings("bin/python -sE", plan.files[1].interpreter);
    try testing.expectEqual(Kind.fill, plan.files[2].kind);
    try testing.expectEqualStrings("../../../interpreters/x/python", plan.links[0].target);
    try testing.expectEqualStrings("00ff", plan.patches[0].what.bytes);
    try testing.expectEqual(9 + 4096, plan.patches[1].end());
    try testing.expectEqual(4, plan.patches[2].length());
}

test "a plan that leaves its directory or its entries is refused" {
    var arena: std.heap.ArenaAllocator = .init(testing.allocator);
    defer arena.deinit();
    const head = first_line ++ "\nentry\t10\t0\tx\te\n";
    const bad = [_][]const u8{
        "file\t644\t0\t0\t4\t../a",
        "file\t644\t0\t0\t4\t/a",
        "file\t644\t0\t0\t4\ta//b",
        "file\t644\t0\t0\t4\ta/./b",
        "file\t644\t0\t0\t4\t",
        "file\t644\t0\t0\t4\ta\x00b",
        "file\t644\t0\t0\t4\ta\\",
        "file\t644\t0\t0\t4\ta\tb",
        "file\t644\t1\t0\t4\ta",
        "file\t644\t0\t7\t4\ta",
        "file\t644\t0\t18446744073709551615\t4\ta",
        "file\t1777\t0\t0\t4\ta",
        "file\t644\t0\t-0\t4\ta",
        "dir\t..",
        "link\ta\t",
        "bytes\t0\t00\ta",
        "file\t644\t0\t0\t4\ta\nbytes\t0\t0\ta",
        "file\t644\t0\t0\t4\ta\nbytes\t-1\t00\ta",
        "file\t644\t0\t0\t4\ta\ntext\t0\t0\tx\ta",
        "file\t644\t0\t0\t4\ta\ntext\t0\t4294967295\tx\ta",
        "file\t644\t0\t0\t4\ta\ncopy\t18446744073709551615\t0\t1\ta",
        "fill\t644\t0\t0\t4\ta\ncopy\t0\t0\t1\ta",
        "what\ta",
        "",
    };
    for (bad) |line| {
        const text = try std.mem.concat(arena.allocator(), u8, &.{ head, line, "\n", "dir\tx\n" });
        try testing.expectError(error.CorruptPlan, parse(arena.allocator(), text));
    }
}

test "a plan whose paths meet, or whose links lead elsewhere, is refused" {
    var arena: std.heap.ArenaAllocator = .init(testing.allocator);
    defer arena.deinit();
    const head = first_line ++ "\nentry\t10\t0\tx\te\n";
    const a = "file\t644\t0\t0\t4\ta\n";
    const below = "file\t644\t0\t0\t4\ta/b\n";
    // tests/container/test_plan.py has the same.
    const valid = [_][]const u8{
        "dir\ta\n" ++ below ++ "link\ta/c\tb\n",
        "link\tbin/x\t../y\n",
        "link\tbin/x\t../../../interpreters/abc/bin/python\n",
        "link\tlibc\t../../libcs/abc\n",
        "link\ta/b/c\t..\n",
        "link\ta\t.\n",
        a ++ "file\t644\t0\t0\t4\tA\n",
        a ++ "file\t644\t0\t0\t4\tab/c\n",
    };
    for (valid) |text| {
        _ = try parse(arena.allocator(), try std.mem.concat(arena.allocator(), u8, &.{ head, text }));
    }
    const bad = [_][]const u8{
        a ++ a,
        a ++ "link\ta\tb\n",
        "link\ta\tb\nlink\ta\tc\n",
        "link\ta\tb\n" ++ below,
        below ++ "link\ta\tb\n",
        "dir\ta\n" ++ a,
        "dir\ta\ndir\ta\n",
        "dir\ta/b\nlink\ta\tb\n",
        "dir\ta/b/c\n" ++ a,
        a ++ "file\t644\t0\t0\t4\ta/b/c/d\n",
        "link\ta\t/etc/passwd\n",
        "link\ta\t../x\n",
        "link\ta\t..\n",
        "link\ta\t../../x\n",
        "link\ta\t../../apps\n",
        "link\ta\t../../apps/x/../../..\n",
        "link\ta\t../../apps/..\n",
        "link\ta\t../../../apps/x\n",
        "link\ta\tb/../../../..\n",
        "link\ta\tb/../c\n",
        "link\ta/b\t../../x\n",
    };
    for (bad) |text| {
        const whole = try std.mem.concat(arena.allocator(), u8, &.{ head, text });
        try testing.expectError(error.CorruptPlan, parse(arena.allocator(), whole));
    }
}

test "names with another meaning on Windows are recognised" {
    for ([_][]const u8{
        "NUL", "nul.txt", "NUL .tar.gz", "con",  "aux.py", "COM1",   "com0.log", "LPT9", "lpt\u{b2}.x", "CONIN$",
        "a:b", "a\\b",    "what?",       "dot.", "space ", "a\x01b", "a*",
    }) |name| try testing.expect(isReservedOnWindows(name));
    for ([_][]const u8{ "null", "console", "com10", "com", "lpt", "a.nul", "..a", "\u{e4}", "a b" }) |name| {
        try testing.expect(!isReservedOnWindows(name));
    }
}

test "an entry too large to decode whole holds exactly one file" {
    var arena: std.heap.ArenaAllocator = .init(testing.allocator);
    defer arena.deinit();
    const head = first_line ++ "\nentry\t8388609\t0\tx\te\n";
    _ = try parse(arena.allocator(), head ++ "file\t644\t0\t0\t8388609\ta\n");
    try testing.expectError(error.CorruptPlan, parse(arena.allocator(), head ++ "file\t644\t0\t0\t5\ta\n"));
    try testing.expectError(error.CorruptPlan, parse(
        arena.allocator(),
        head ++ "file\t644\t0\t0\t8388609\ta\nfile\t644\t0\t0\t8388609\tb\n",
    ));
}

test "every prefix of a plan parses or is an error" {
    for (0..sample.len) |length| {
        var arena: std.heap.ArenaAllocator = .init(testing.allocator);
        defer arena.deinit();
        _ = parse(arena.allocator(), sample[0..length]) catch |err| {
            try testing.expectEqual(error.CorruptPlan, err);
        };
    }
}

//! A request to install, which a CZEX that runs on the host's Python sends to its launcher.
//!
//! The CZEX extracts the launcher from an entry, starts it as `launcher --czscie-request`, and writes the request to
//! its standard input. The launcher has no manifest at its end, so no scie accepts a request (docs/reference/format.md
//! has the grammar). The request says what to install where; locks, staging and checks are those of every installation.

const std = @import("std");
const testing = std.testing;
const Allocator = std.mem.Allocator;
const base_directory = @import("base.zig");
const damages = @import("damage.zig");
const file_changes = @import("file_changes.zig");
const file_status = @import("file_status.zig");
const install = @import("install.zig");
const Lock = @import("lock.zig").Lock;
const manifest = @import("manifest.zig");
const plan_text = @import("plan.zig");
const process = @import("process.zig");
const rendering = @import("rendering.zig");
const report = @import("report.zig");
const unpacking = @import("unpack.zig");
const zip = @import("zip.zig");

/// The only argument of a launcher that reads a request.
pub const argument = "--czscie-request";

const has_modes = @import("builtin").os.tag != .windows;

const first_line = "czscie-request 1";
const length_max = 512 << 20;

/// A zip, and the plan of the files to take from it.
const Part = struct { archive: []const u8, plan: []const u8 };

/// A small file whose content depends on the host.
const Text = struct { mode: u9, path: []const u8, content: []const u8 };

/// A file of the host to copy, such as an interpreter that finds its home by its place.
const Copy = struct { mode: u9, path: []const u8, source: []const u8 };

/// What to do with an existing installation.
const Recheck = enum(u2) {
    none,
    /// Check the files for damage by a power cut or a cleaner.
    contents,
    /// Replace it: its interpreter is missing.
    replace,
};

const Request = struct {
    application: []const u8,
    base: []const u8,
    /// The name of the installation: 64 hexadecimal digits.
    digest: []const u8,
    /// Its size in bytes.
    unpacked: u64,
    recheck: Recheck,
    /// The maximum number of threads; 0 for one per core.
    jobs: u8,
    parts: []const Part = &.{},
    texts: []const Text = &.{},
    copies: []const Copy = &.{},
    links: []const plan_text.Link = &.{},

    fn file(request: Request) manifest.File {
        return .{
            .name = request.application,
            .kind = .app,
            .digest = request.digest,
            .offset = 0,
            .size = 0,
            .unpacked = request.unpacked,
        };
    }
};

/// Installs what the request describes, unless it is installed, and exits.
pub fn run(arena: Allocator) error{OutOfMemory}!noreturn {
    const text = std.fs.File.stdin().readToEndAlloc(arena, length_max) catch |err|
        report.fatal("czscie", "cannot read the request: {s}", .{report.describe(err)});
    const request = parse(arena, text) catch |err| switch (err) {
        error.OutOfMemory => return error.OutOfMemory,
        error.CorruptPlan => report.fatal("czscie", "standard input is not a valid request", .{}),
    };
    var reason: []const u8 = "";
    const files = [_]manifest.File{request.file()};
    const directory = try base_directory.prepare(arena, request.base, &files, .cache, &reason) orelse
        report.fatal(request.application, "cannot unpack into {s}: {s}", .{ request.base, reason });
    _ = process.ignoreFileSizeSignal();
    var failure: unpacking.Failure = .{ .err = error.Unexpected, .subject = request.application };
    make(arena, request, directory, &failure) catch |err| {
        if (err != error.Failed) failure.err = err;
        reportFailure(request, failure);
    };
    std.process.exit(0);
}

fn reportFailure(request: Request, failure: unpacking.Failure) noreturn {
    switch (failure.err) {
        error.CorruptZip, error.CorruptPlan, error.CorruptEntry, error.CorruptFrame => report.fatal(
            request.application,
            "{s} is damaged: cannot read {s}\nhint: copy or download the file again",
            .{ request.parts[0].archive, failure.subject },
        ),
        else => report.fatal(
            request.application,
            "cannot unpack {s} into {s}: {s}\nhint: free some space there, or set CZSCIE_BASE to another directory",
            .{ failure.subject, request.base, report.describe(failure.err) },
        ),
    }
}

fn make(arena: Allocator, request: Request, directory: std.fs.Dir, failure: *unpacking.Failure) !void {
    const file = request.file();
    const lock = try Lock.acquire(directory, file, request.application);
    defer lock.release();
    var partial_buffer: base_directory.Name = undefined;
    const partial = base_directory.installationName(&partial_buffer, file, install.partialSuffix(lock.method));
    var final_buffer: base_directory.Name = undefined;
    const final = base_directory.installationName(&final_buffer, file, "");
    if (base_directory.isInstalled(directory, file)) {
        if (request.recheck == .none) return;
        if (request.recheck == .contents and try isIntact(arena, request, directory, final)) {
            _ = base_directory.touch(directory, file);
            return;
        }
        try directory.deleteTree(partial);
        try directory.rename(final, partial);
    }
    install.removeStale(directory, file);
    try directory.deleteTree(partial);
    try directory.makeDir(partial);
    errdefer directory.deleteTree(partial) catch {};
    {
        var unfinished = try directory.openDir(partial, .{});
        defer unfinished.close();
        const root = try std.fs.path.join(arena, &.{ request.base, final });
        for (request.parts) |part| {
            const places: rendering.Places = .{ .base = request.base, .root = root };
            try unpackPart(part, request, unfinished, places, failure);
        }
        for (request.texts) |each| {
            failure.subject = each.path;
            const created = try create(unfinished, each.path, each.mode);
            defer created.close();
            try created.writeAll(each.content);
        }
        for (request.copies) |each| {
            failure.subject = each.source;
            try copy(each, unfinished);
        }
        // Links come last, so nothing is written through a link.
        for (request.links) |link| {
            failure.subject = link.path;
            try unfinished.symLink(link.target, link.path, .{});
        }
    }
    file_changes.rename(directory, partial, directory, final) catch |err| {
        if (err != error.PathAlreadyExists) return err;
        directory.deleteTree(partial) catch {}; // a process that uses the other kind of lock was faster
    };
    lock.recordApplication(request.application);
}

fn unpackPart(
    part: Part,
    request: Request,
    directory: std.fs.Dir,
    places: rendering.Places,
    failure: *unpacking.Failure,
) !void {
    failure.subject = part.archive;
    const archive = try std.fs.cwd().openFile(part.archive, .{});
    defer archive.close();
    var file = request.file();
    file.size = try file_status.length(archive);
    var parts = [_]unpacking.Part{.{ .file = file, .directory = directory, .places = places, .given = part.plan }};
    const threads: usize = if (request.jobs == 0) std.math.maxInt(usize) else request.jobs;
    unpacking.unpack(archive, &parts, .{ .threads = threads, .shows_progress = true }) catch |err| {
        failure.* = parts[0].failure orelse return err;
        return err;
    };
}

fn create(directory: std.fs.Dir, path: []const u8, mode: u9) !std.fs.File {
    return file_changes.create(directory, path, if (has_modes) mode else 0);
}

fn copy(each: Copy, directory: std.fs.Dir) !void {
    const source = try std.fs.cwd().openFile(each.source, .{});
    defer source.close();
    const created = try create(directory, each.path, each.mode);
    defer created.close();
    var buffer: [16 << 10]u8 = undefined;
    while (true) {
        const length = try source.read(&buffer);
        if (length == 0) return;
        try created.writeAll(buffer[0..length]);
    }
}

/// Whether the installed parts match their plans. Texts and copies have no checksums; only their lengths are compared.
fn isIntact(arena: Allocator, request: Request, directory: std.fs.Dir, installation: []const u8) !bool {
    var installed = try directory.openDir(installation, .{});
    defer installed.close();
    const root = try std.fs.path.join(arena, &.{ request.base, installation });
    for (request.parts) |part| {
        const archive = try std.fs.cwd().openFile(part.archive, .{});
        defer archive.close();
        const length = try file_status.length(archive);
        const plan = try plan_text.parse(arena, part.plan);
        const damage = try damages.find(arena, .{
            .directory = installed,
            .places = .{ .base = request.base, .root = root },
            .plan = plan,
            .executable = archive,
            .entries = try zip.readDirectory(arena, archive, .{ .start = 0, .end = length }),
            .data_end = length,
        }, .contents);
        if (damage.first(plan) != null) return false;
    }
    for (request.texts) |each| if (!hasSize(installed, each.path, each.content.len)) return false;
    for (request.copies) |each| {
        const source = file_status.at(std.fs.cwd(), each.source) catch continue; // missing: copying it again reports that
        if (!hasSize(installed, each.path, source.size)) return false;
    }
    for (request.links) |link| {
        var buffer: [std.fs.max_path_bytes]u8 = undefined;
        const target = installed.readLink(link.path, &buffer) catch return false;
        if (!std.mem.eql(u8, target, link.target)) return false;
    }
    return true;
}

fn hasSize(directory: std.fs.Dir, path: []const u8, length: u64) bool {
    const status = file_status.at(directory, path) catch return false;
    return status.size == length;
}

fn parse(arena: Allocator, text: []const u8) plan_text.Error!Request {
    const split = std.mem.indexOf(u8, text, "\n\n") orelse return error.CorruptPlan;
    var plans = text[split + 2 ..];
    var lines = std.mem.splitScalar(u8, text[0..split], '\n');
    if (!std.mem.eql(u8, lines.first(), first_line)) return error.CorruptPlan;
    var found: Request = .{
        .application = try lineValue(arena, &lines, "application"),
        .base = try lineValue(arena, &lines, "base"),
        .digest = try lineValue(arena, &lines, "installation"),
        .unpacked = try number(u64, arena, &lines, "unpacked"),
        .recheck = std.enums.fromInt(Recheck, try number(u2, arena, &lines, "recheck")) orelse return error.CorruptPlan,
        .jobs = try number(u8, arena, &lines, "jobs"),
    };
    if (found.digest.len != 64) return error.CorruptPlan;
    for (found.digest) |digit| if (!std.ascii.isHex(digit) or std.ascii.isUpper(digit)) return error.CorruptPlan;
    if (!std.fs.path.isAbsolute(found.base)) return error.CorruptPlan;
    var parts: std.ArrayList(Part) = .empty;
    var texts: std.ArrayList(Text) = .empty;
    var copies: std.ArrayList(Copy) = .empty;
    var links: std.ArrayList(plan_text.Link) = .empty;
    while (lines.next()) |line| {
        var fields: plan_text.Fields = .{ .arena = arena, .parts = std.mem.splitScalar(u8, line, '\t') };
        switch (std.meta.stringToEnum(enum { part, text, copy, link }, try fields.text()) orelse return error.CorruptPlan) {
            .part => {
                const archive = try fields.text();
                const length = try fields.number(usize, 10);
                if (length > plans.len) return error.CorruptPlan;
                try parts.append(arena, .{ .archive = archive, .plan = plans[0..length] });
                plans = plans[length..];
            },
            .text => try texts.append(arena, .{
                .mode = try fields.number(u9, 8),
                .path = try fields.path(),
                .content = try fields.text(),
            }),
            .copy => try copies.append(arena, .{
                .mode = try fields.number(u9, 8),
                .path = try fields.path(),
                .source = try fields.text(),
            }),
            .link => try links.append(arena, .{ .path = try fields.path(), .target = try fields.text() }),
        }
        if (fields.parts.next() != null) return error.CorruptPlan;
    }
    if (parts.items.len == 0 or plans.len != 0) return error.CorruptPlan;
    found.parts = parts.items;
    found.texts = texts.items;
    found.copies = copies.items;
    found.links = links.items;
    return found;
}

/// Reads a line of `word`, a tab and a value.
fn lineValue(arena: Allocator, lines: *std.mem.SplitIterator(u8, .scalar), word: []const u8) plan_text.Error![]const u8 {
    const line = lines.next() orelse return error.CorruptPlan;
    var fields: plan_text.Fields = .{ .arena = arena, .parts = std.mem.splitScalar(u8, line, '\t') };
    if (!std.mem.eql(u8, try fields.text(), word)) return error.CorruptPlan;
    const value = try fields.text();
    return if (fields.parts.next() == null) value else error.CorruptPlan;
}

fn number(
    comptime T: type,
    arena: Allocator,
    lines: *std.mem.SplitIterator(u8, .scalar),
    word: []const u8,
) plan_text.Error!T {
    return std.fmt.parseUnsigned(T, try lineValue(arena, lines, word), 10) catch error.CorruptPlan;
}

const sample = first_line ++
    "\napplication\tcowsay\nbase\t/b\ninstallation\t" ++ "ab" ** 32 ++
    "\nunpacked\t4096\nrecheck\t0\njobs\t0\npart\t/a\\tb.czex\t3\npart\t/c\t2" ++
    "\ntext\t644\tpyvenv.cfg\thome = /usr\\n\ncopy\t755\tbin/python\t/usr/bin/python2.7" ++
    "\nlink\tbin/python2\tpython\n\nxyzuv";

test "a request names an installation and the zips that it is made of" {
    var arena: std.heap.ArenaAllocator = .init(testing.allocator);
    defer arena.deinit();
    const request = try parse(arena.allocator(), sample);
    try testing.expectEqualStrings("cowsay", request.application);
    try testing.expectEqual(4096, request.unpacked);
    try testing.expectEqual(2, request.parts.len);
    try testing.expectEqualStrings("/a\tb.czex", request.parts[0].archive);
    try testing.expectEqualStrings("uv", request.parts[1].plan);
    try testing.expectEqualStrings("home = /usr\n", request.texts[0].content);
    try testing.expectEqualStrings("/usr/bin/python2.7", request.copies[0].source);
    try testing.expectEqualStrings("python", request.links[0].target);
}

test "every prefix of a request is an error, and no name leaves its directory" {
    var arena: std.heap.ArenaAllocator = .init(testing.allocator);
    defer arena.deinit();
    for (0..sample.len) |length| {
        try testing.expectError(error.CorruptPlan, parse(arena.allocator(), sample[0..length]));
    }
    const elsewhere = try std.mem.replaceOwned(u8, arena.allocator(), sample, "ab" ** 32, "../" ** 21 ++ "a");
    try testing.expectError(error.CorruptPlan, parse(arena.allocator(), elsewhere));
    const relative = try std.mem.replaceOwned(u8, arena.allocator(), sample, "/b\n", "b\n");
    try testing.expectError(error.CorruptPlan, parse(arena.allocator(), relative));
    const outside = try std.mem.replaceOwned(u8, arena.allocator(), sample, "pyvenv.cfg", "../pyvenv.cfg");
    try testing.expectError(error.CorruptPlan, parse(arena.allocator(), outside));
}

//! `verify` checks every digest of the file, and compares every installed file with its expected content.

const std = @import("std");
const builtin = @import("builtin");
const base_directory = @import("../base.zig");
const Comparison = @import("../comparison.zig").Comparison;
const entry_content = @import("../entry.zig");
const file_status = @import("../file_status.zig");
const manifest = @import("../manifest.zig");
const plan_text = @import("../plan.zig");
const rendering = @import("../rendering.zig");
const report = @import("../report.zig");
const Sha256 = @import("../sha256.zig").Sha256;
const unpack = @import("../unpack.zig");
const zip = @import("../zip.zig");
const Context = @import("context.zig").Context;
const documents = @import("document.zig");
const launcher_file = @import("launcher.zig");
const Document = documents.Document;

const Problem = struct {
    /// A part of the file, or its installation.
    where: []const u8,
    subject: []const u8,
    problem: []const u8,
};

pub fn run(context: *const Context) anyerror!u8 {
    const base = base_directory.findInstalled(try context.candidates(), context.lift.files);
    var verification: Verification = .{ .context = context, .base = base, .reader = try .init(context.executable.file) };
    defer verification.reader.deinit();
    try verification.verifyLauncher();
    for (context.lift.files) |file| try verification.verifyPart(file);
    if (context.lift.libc == null) try verification.verifyUnusedLibc();
    try verification.writeReport();
    return if (verification.problems.items.len == 0) 0 else report.exit_status;
}

const Verification = struct {
    context: *const Context,
    base: ?base_directory.Base,
    reader: entry_content.Reader,
    problems: std.ArrayList(Problem) = .empty,
    entries: usize = 0,
    files: usize = 0,
    /// Whether the file itself is damaged.
    damaged_file: bool = false,

    /// Adds a problem of the file itself.
    fn addDamage(verification: *Verification, where: []const u8, subject: []const u8, problem: []const u8) !void {
        verification.damaged_file = true;
        try verification.addProblem(where, subject, problem);
    }

    fn addProblem(verification: *Verification, where: []const u8, subject: []const u8, problem: []const u8) !void {
        try verification.problems.append(verification.context.arena, .{
            .where = where,
            .subject = subject,
            .problem = problem,
        });
    }

    fn verifyLauncher(verification: *Verification) !void {
        const context = verification.context;
        const document: Document = try .parse(context.arena, try documents.read(context));
        const jump = document.scie.jump;
        // Signing a PE image changes its headers, and the signature covers the whole file.
        const signed = context.executable.payload_end != try file_status.length(context.executable.file);
        if (builtin.os.tag == .windows and signed) return;
        var hash: Sha256 = .{};
        launcher_file.digest(context.executable.file, jump.size, &hash) catch
            return verification.addDamage("launcher", "launcher", "truncated");
        if (!isDigest(&hash, jump.hash)) try verification.addDamage("launcher", "launcher", "the SHA-256 differs from the manifest");
    }

    fn verifyPart(verification: *Verification, file: manifest.File) !void {
        const context = verification.context;
        if (file.size == 0) report.fatal(
            context.lift.name,
            "{s} belongs to a permanent installation and contains no parts" ++
                "\nhint: verify the original executable with CZSCIE_BASE={s}",
            .{ context.executable.path, context.lift.base orelse "its directory" },
        );
        const executable = context.executable.file;
        const entries = zip.readDirectory(context.arena, executable, file.range()) catch |err|
            return verification.addDamage(file.name, "central directory", report.describe(err));
        const plan = unpack.readPlan(context.arena, &verification.reader, file, entries) catch |err|
            return verification.addDamage(file.name, "plan", report.describe(err));
        var installation = try Installation.open(verification, file, plan);
        defer installation.close();
        for (plan.entries) |planned| try verification.verifyEntry(file, planned, plan, entries, &installation);
        try verification.verifyUnplanned(file, plan, entries);
        for (plan.directories) |path| try installation.isDirectory(verification, path);
        for (plan.links) |link| try installation.link(verification, link);
    }

    /// Checks the bundled C library of the file if this host does not use it.
    fn verifyUnusedLibc(verification: *Verification) !void {
        const context = verification.context;
        const built = try manifest.read(context.arena, context.executable.file, context.executable.payload_end);
        const base = verification.base;
        defer verification.base = base;
        verification.base = null;
        for (built.files) |file| if (file.kind == .libc) try verification.verifyPart(file);
    }

    fn verifyEntry(
        verification: *Verification,
        file: manifest.File,
        planned: plan_text.Entry,
        plan: plan_text.Plan,
        entries: std.StringHashMapUnmanaged(zip.Entry),
        installation: *Installation,
    ) !void {
        verification.entries += 1;
        const there = entries.get(planned.name) orelse return verification.addDamage(file.name, planned.name, "missing");
        if (there.length != planned.length or there.crc32 != planned.crc32) {
            return verification.addDamage(file.name, planned.name, "the size or checksum differs from the plan");
        }
        const files = plan.files[planned.files_start..planned.files_end];
        var sink: Sink = .{};
        defer sink.deinit();
        if (there.length <= plan_text.whole_entry_length_max) {
            sink.whole = try std.heap.page_allocator.alloc(u8, @intCast(there.length));
        } else if (files.len == 1) {
            sink.comparison = installation.compare(files[0]);
        }
        verification.reader.stream(there, file.range().end, &sink) catch |err|
            return verification.addDamage(file.name, planned.name, report.describe(err));
        if (!isDigest(&sink.hash, planned.sha256)) {
            return verification.addDamage(file.name, planned.name, "the SHA-256 differs from the plan");
        }
        if (sink.comparison) |*comparison| return installation.finishFile(verification, files[0], comparison);
        for (files) |each| {
            const content = sink.whole[@intCast(each.offset)..][0..@intCast(each.length)];
            try installation.file(verification, each, content);
        }
    }

    /// Checks the entries that no plan names. They are for other zip readers, but can be damaged too.
    fn verifyUnplanned(
        verification: *Verification,
        file: manifest.File,
        plan: plan_text.Plan,
        entries: std.StringHashMapUnmanaged(zip.Entry),
    ) !void {
        var planned: std.StringHashMapUnmanaged(void) = .empty;
        for (plan.entries) |each| try planned.put(verification.context.arena, each.name, {});
        var each = entries.valueIterator();
        while (each.next()) |there| {
            if (planned.contains(there.name)) continue;
            verification.entries += 1;
            var sink: Sink = .{};
            verification.reader.stream(there.*, file.range().end, &sink) catch |err|
                try verification.addDamage(file.name, there.name, report.describe(err));
        }
    }

    fn writeReport(verification: *Verification) !void {
        const context = verification.context;
        const problems = verification.problems.items;
        if (context.options.json) return context.json(.{
            .ok = problems.len == 0,
            .executable = context.executable.path,
            .entries = verification.entries,
            .base = if (verification.base) |base| base.path else null,
            .files = verification.files,
            .problems = problems,
        });
        const out = context.out;
        for (problems) |each| try out.print("{s}: {s}: {s}\n", .{ each.where, each.subject, each.problem });
        try out.print("{s}: {d} entries\n", .{ context.executable.path, verification.entries });
        if (verification.base) |base| {
            try out.print("{s}: {d} files\n", .{ base.path, verification.files });
        } else {
            try out.writeAll("not installed\n");
        }
        if (problems.len == 0) return out.writeAll("no problems found\n");
        try out.print("problems: {d}\n", .{problems.len});
        try out.writeAll(if (verification.damaged_file)
            "hint: copy or download the file again\n"
        else
            "hint: remove the installation with the tool uninstall; the next start installs it again\n");
    }
};

/// The installation of one part. Without a directory, nothing is compared.
const Installation = struct {
    directory: ?std.fs.Dir,
    /// Such as `apps/<digest>`.
    name: []const u8,
    places: rendering.Places,
    plan: plan_text.Plan,

    fn open(verification: *Verification, part: manifest.File, plan: plan_text.Plan) !Installation {
        var buffer: base_directory.Name = undefined;
        const base = verification.base orelse
            return .{ .directory = null, .name = "", .places = .{ .base = "", .root = "" }, .plan = plan };
        const arena = verification.context.arena;
        const name = try arena.dupe(u8, base_directory.installationName(&buffer, part, ""));
        return .{
            .directory = try base.directory.openDir(name, .{}),
            .name = name,
            .places = .{ .base = base.path, .root = try std.fs.path.join(arena, &.{ base.path, name }) },
            .plan = plan,
        };
    }

    fn close(installation: *Installation) void {
        if (installation.directory) |*directory| directory.close();
    }

    fn compare(installation: *Installation, planned: plan_text.File) ?Comparison {
        var comparison: Comparison = .begin(installation.directory orelse return null, planned);
        comparison.patches = installation.plan.patchesOf(planned);
        return comparison;
    }

    fn file(
        installation: *Installation,
        verification: *Verification,
        planned: plan_text.File,
        content: []const u8,
    ) !void {
        var comparison = installation.compare(planned) orelse return;
        if (planned.kind == .file) {
            comparison.feed(content);
        } else {
            var rendered: std.Io.Writer.Allocating = .init(std.heap.page_allocator);
            defer rendered.deinit();
            try rendering.render(&rendered.writer, planned, content, installation.places);
            comparison.feed(rendered.written());
        }
        try installation.finishFile(verification, planned, &comparison);
    }

    fn finishFile(
        installation: *Installation,
        verification: *Verification,
        planned: plan_text.File,
        comparison: *Comparison,
    ) !void {
        verification.files += 1;
        comparison.feedPatches(installation.places);
        if (comparison.end()) |problem| try verification.addProblem(installation.name, planned.path, problem);
    }

    fn isDirectory(installation: *Installation, verification: *Verification, path: []const u8) !void {
        const directory = installation.directory orelse return;
        if (builtin.os.tag == .windows) return;
        const status = file_status.atItself(directory, path) catch |err|
            return verification.addProblem(installation.name, path, report.describe(err));
        if (status.kind != .directory) try verification.addProblem(installation.name, path, "not a directory");
    }

    fn link(installation: *Installation, verification: *Verification, planned: plan_text.Link) !void {
        const directory = installation.directory orelse return;
        if (builtin.os.tag == .windows) return;
        verification.files += 1;
        var buffer: [std.fs.max_path_bytes]u8 = undefined;
        const target = directory.readLink(planned.path, &buffer) catch |err|
            return verification.addProblem(installation.name, planned.path, report.describe(err));
        if (!std.mem.eql(u8, target, planned.target)) {
            try verification.addProblem(installation.name, planned.path, "the link target differs");
        }
    }
};

/// Receives the content of an entry: updates the hash, and fills a buffer or feeds a comparison.
const Sink = struct {
    hash: Sha256 = .{},
    whole: []u8 = &.{},
    length: usize = 0,
    comparison: ?Comparison = null,

    pub fn write(sink: *Sink, bytes: []const u8) !void {
        sink.hash.update(bytes);
        if (sink.comparison) |*comparison| comparison.feed(bytes);
        if (sink.whole.len > 0) @memcpy(sink.whole[sink.length..][0..bytes.len], bytes);
        sink.length += bytes.len;
    }

    fn deinit(sink: *Sink) void {
        std.heap.page_allocator.free(sink.whole);
    }
};

fn isDigest(hash: *Sha256, hexadecimal: []const u8) bool {
    return std.mem.eql(u8, &hash.finalHex(), hexadecimal);
}

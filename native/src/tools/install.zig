//! `install DIR` makes a permanent installation, with one executable per command in DIR/bin.
//!
//! DIR becomes a base directory that all users can read and start from, even on a read-only file system. With
//! `--symlink`, the tool installs nothing: it links to the executable.

const std = @import("std");
const builtin = @import("builtin");
const Allocator = std.mem.Allocator;
const base_directory = @import("../base.zig");
const Boot = @import("../boot.zig").Boot;
const Environment = @import("../environment.zig").Environment;
const file_status = @import("../file_status.zig");
const install = @import("../install.zig");
const lazy = @import("../lazy.zig");
const mach_o = @import("../mach_o.zig");
const manifest = @import("../manifest.zig");
const messages = @import("../messages.zig");
const pe = @import("../pe.zig");
const process = @import("../process.zig");
const report = @import("../report.zig");
const Context = @import("context.zig").Context;
const documents = @import("document.zig");
const launcher_file = @import("launcher.zig");
const links = @import("links.zig");
const stub = @import("stub.zig");
const Document = documents.Document;

/// The file that marks a base directory as a permanent installation.
pub const mark = "czscie-installation";
pub const executables_directory = "bin";
/// Apple silicon runs only signed programs.
const needs_signature = builtin.os.tag == .macos;
/// The headers of a PE image contain a checksum of the whole file.
const has_checksum = builtin.os.tag == .windows;
const executable_suffix = if (builtin.os.tag == .windows) ".exe" else "";

const mark_text =
    \\A permanent installation by czscie. The executables in bin run from this directory and unpack nothing.
    \\
;

pub fn run(context: *const Context) anyerror!u8 {
    const name = context.lift.name;
    if (!context.lift.hasParts()) report.fatal(
        name,
        "{s} belongs to a permanent installation and contains no parts" ++
            "\nhint: install from the original executable",
        .{context.executable.path},
    );
    if (context.options.symlink) return links.run(context);
    if (context.options.operands.len != 1) return error.Usage;
    const path = try realPath(context.arena, context.options.operands[0]);
    _ = process.setPublicUmask();
    const base = try makeBase(context, path);
    try installParts(context, base);
    try installLazyParts(context, base);
    const executables = try writeStubs(context, base);
    try base.directory.writeFile(.{ .sub_path = mark, .data = mark_text });
    flush(base.directory);

    if (context.options.json) {
        try context.json(.{ .base = base.path, .executables = executables });
    } else {
        for (executables) |executable| try context.out.print("{s}\n", .{executable});
    }
    return 0;
}

/// The installation contains absolute paths, so it must not depend on links that may change.
fn realPath(arena: Allocator, path: []const u8) ![]const u8 {
    const here = try std.process.getCwdAlloc(arena);
    const absolute = try std.fs.path.resolve(arena, &.{ here, path });
    var buffer: [std.fs.max_path_bytes]u8 = undefined;
    if (std.fs.realpath(absolute, &buffer)) |real| return arena.dupe(u8, real) else |_| {}
    const parent = std.fs.path.dirname(absolute) orelse return absolute;
    const real = std.fs.realpath(parent, &buffer) catch return absolute;
    return std.fs.path.join(arena, &.{ real, std.fs.path.basename(absolute) });
}

fn makeBase(context: *const Context, path: []const u8) !base_directory.Base {
    var reason: []const u8 = "";
    const directory = try base_directory.prepare(context.arena, path, context.lift.files, .permanent, &reason) orelse
        report.fatal(context.lift.name, "cannot install into {s}: {s}", .{ path, reason });
    if (!isForEverybody(directory, ".")) {
        report.note(context.lift.name, "other users cannot run the executables in {s}: its mode is not 0755", .{path});
    }
    return .{ .directory = directory, .path = path };
}

fn isForEverybody(directory: std.fs.Dir, name: []const u8) bool {
    if (builtin.os.tag == .windows) return true;
    const status = file_status.at(directory, name) catch return false;
    return status.mode & 0o005 == 0o005;
}

fn installParts(context: *const Context, base: base_directory.Base) !void {
    const name = context.lift.name;
    const installations = try context.arena.alloc(install.Installation, context.lift.files.len);
    for (context.lift.files, installations) |file, *slot| slot.* = .{
        .arena = context.arena,
        .application = name,
        .executable = context.executable.file,
        .file = file,
        .base = base,
    };
    install.installMissing(context.arena, installations) catch |err| switch (err) {
        error.OutOfMemory => return error.OutOfMemory,
        error.Failed => for (installations) |each| if (each.failure) |failure| {
            const subject = if (failure.subject.len > 0) failure.subject else each.file.name;
            report.fatal(name, "cannot install {s} into {s}: {s}", .{ subject, base.path, report.describe(failure.err) });
        },
    };
    for (context.lift.files) |file| {
        var buffer: base_directory.Name = undefined;
        const installation = base_directory.installationName(&buffer, file, "");
        if (!isForEverybody(base.directory, installation)) report.fatal(
            name,
            "only one user can read {s}/{s}, which was unpacked earlier\nhint: remove it and install again",
            .{ base.path, installation },
        );
    }
}

/// Fetches what the executable does not contain.
fn installLazyParts(context: *const Context, base: base_directory.Base) error{OutOfMemory}!void {
    if (context.lift.lazy.len == 0) return;
    var boot: Boot = .{
        .arena = context.arena,
        .executable = context.executable,
        .base = base,
        .places = &.{},
        .finish = leaveEnvironment,
        .context = .{
            .lift = context.lift,
            .executable = context.executable.path,
            .argv0 = context.executable.path,
            .base = base.path,
            .environment = &context.variables,
        },
    };
    boot.context.boot = &boot;
    lazy.provideAll(&boot) catch |err| switch (err) {
        error.OutOfMemory => return error.OutOfMemory,
        else => messages.placeholderUnknown(context.lift.name, err),
    };
    base.directory.deleteDir(lazy.downloads_directory) catch {}; // there may be other downloads
}

fn leaveEnvironment(_: *const Boot, _: *Environment) error{OutOfMemory}!void {}

/// Writes one executable per command, and returns their paths. The default command's executable has the name of the
/// lift.
fn writeStubs(context: *const Context, base: base_directory.Base) ![]const []const u8 {
    const arena = context.arena;
    const document: Document = try .parse(arena, try documents.read(context));
    const commands = context.lift.boot.commands.map;
    var paths: std.ArrayList([]const u8) = .empty;
    try base.directory.makePath(executables_directory);
    for (commands.keys()) |command| {
        const called = nameOf(context.lift, command) orelse continue;
        const path = try std.mem.concat(arena, u8, &.{ executables_directory, "/", called, executable_suffix });
        const alignment: u16 = switch (builtin.os.tag) {
            .macos => mach_o.alignment,
            .windows => pe.alignment,
            else => 1,
        };
        const tail = stub.tail(arena, document, command, base.path, context.lift.libc != null, alignment) catch |err| switch (err) {
            error.ManifestTooLong => report.fatal(context.lift.name, "the path {s} is too long", .{base.path}),
            else => return err,
        };
        try write(context, base.directory, path, document.scie.jump.size, tail);
        try paths.append(arena, try std.fs.path.join(arena, &.{ base.path, path }));
    }
    return paths.items;
}

/// The name of the executable for `command`; null if the command cannot be a file of its own.
pub fn nameOf(lift: manifest.Manifest, command: []const u8) ?[]const u8 {
    const called = if (command.len == 0) lift.name else command;
    if (command.len > 0 and std.mem.eql(u8, command, lift.name) and lift.boot.commands.map.contains("")) return null;
    if (std.mem.eql(u8, called, ".") or std.mem.eql(u8, called, "..")) return null;
    return if (std.mem.indexOfAny(u8, called, "/\\:\x00") == null) called else null;
}

/// Writes the launcher and the tail beside `path`, and renames: a start sees the old executable or the new one.
fn write(context: *const Context, directory: std.fs.Dir, path: []const u8, launcher_length: u64, tail: []const u8) !void {
    // Another process may install into the same directory.
    const partial = try std.fmt.allocPrint(context.arena, "{s}.{d}.partial", .{ path, std.Thread.getCurrentId() });
    {
        const mode: std.fs.File.Mode = if (builtin.os.tag == .windows) 0 else 0o755;
        const file = try directory.createFile(partial, .{ .mode = mode, .read = needs_signature or has_checksum });
        defer file.close();
        errdefer directory.deleteFile(partial) catch {};
        try launcher_file.copy(context.executable.file, file, launcher_length);
        try file.writeAll(tail);
        if (needs_signature) try mach_o.sign(file, context.lift.name);
        if (has_checksum) try pe.writeChecksum(file);
    }
    try directory.rename(partial, path);
}

/// Writes everything to disk, because starts of a permanent installation do not check for damage by a power cut.
fn flush(directory: std.fs.Dir) void {
    if (builtin.os.tag != .linux) return;
    var readable = directory.openDir(".", .{ .iterate = true }) catch return;
    defer readable.close();
    _ = std.os.linux.syncfs(readable.fd);
}

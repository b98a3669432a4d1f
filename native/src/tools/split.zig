//! `split DIR` splits the file: each part becomes a zip of its own.

const std = @import("std");
const builtin = @import("builtin");
const file_changes = @import("../file_changes.zig");
const manifest = @import("../manifest.zig");
const report = @import("../report.zig");
const Context = @import("context.zig").Context;
const documents = @import("document.zig");
const launcher_file = @import("launcher.zig");
const relocation = @import("relocation.zig");
const Document = documents.Document;

const launcher_name = if (builtin.os.tag == .windows) "launcher.exe" else "launcher";

pub fn run(context: *const Context) anyerror!u8 {
    const path = context.options.operands[0];
    if (!context.lift.hasParts()) report.fatal(
        context.lift.name,
        "{s} belongs to a permanent installation and contains no parts",
        .{context.executable.path},
    );
    try std.fs.cwd().makePath(path);
    var directory = try std.fs.cwd().openDir(path, .{});
    defer directory.close();

    const text = try documents.read(context);
    const document: Document = try .parse(context.arena, text);
    try writeLauncher(context, directory, document.scie.jump.size);
    const built = try manifest.read(context.arena, context.executable.file, context.executable.payload_end);
    for (built.files) |file| try writePart(context, directory, file);
    const lift = try create(context, directory, "lift.json", 0o644);
    defer lift.close();
    try lift.writeAll(text);
    try lift.writeAll("\n");
    return 0;
}

fn writeLauncher(context: *const Context, directory: std.fs.Dir, length: u64) !void {
    const file = try create(context, directory, launcher_name, 0o755);
    defer file.close();
    try launcher_file.copy(context.executable.file, file, length);
}

fn writePart(context: *const Context, directory: std.fs.Dir, part: manifest.File) !void {
    // The names of parts that are not the user's begin with a dot, which would hide the file.
    const stem = std.mem.trimLeft(u8, part.name, ".");
    if (stem.len == 0 or std.mem.indexOfAny(u8, stem, "/\\:\x00") != null) return error.CorruptManifest;
    const moved = try relocation.relocate(context.arena, context.executable.file, part.range());
    const name = try std.mem.concat(context.arena, u8, &.{ stem, ".zip" });
    const file = try create(context, directory, name, 0o644);
    defer file.close();
    try file_changes.appendRange(context.executable.file, file, part.offset, moved.data_end - part.offset);
    try file.writeAll(moved.bytes);
}

/// Creates a file, and overwrites no existing one.
fn create(context: *const Context, directory: std.fs.Dir, name: []const u8, mode: u9) !std.fs.File {
    const file = directory.createFile(name, .{
        .exclusive = true,
        .mode = if (builtin.os.tag == .windows) 0 else mode,
    }) catch |err| report.fatal(context.lift.name, "cannot write {s}: {s}", .{ name, report.describe(err) });
    try context.out.print("{s}\n", .{name});
    return file;
}

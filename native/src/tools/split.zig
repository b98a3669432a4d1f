//! `split [DIR]` splits the file: each part becomes a zip of its own. `--dry-run` only lists the files, and names
//! after `--` choose some of them.

const std = @import("std");
const builtin = @import("builtin");
const file_changes = @import("../file_changes.zig");
const file_status = @import("../file_status.zig");
const manifest = @import("../manifest.zig");
const report = @import("../report.zig");
const Context = @import("context.zig").Context;
const documents = @import("document.zig");
const launcher_file = @import("launcher.zig");
const relocation = @import("relocation.zig");
const Document = documents.Document;

const launcher_name = if (builtin.os.tag == .windows) "launcher.exe" else "launcher";
const manifest_name = "lift.json";

/// A file that the tool writes.
const Piece = struct {
    /// What chooses it, besides the name of the file.
    id: []const u8,
    file_name: []const u8,
    content: union(enum) { launcher, part: manifest.File, manifest },

    fn isCalled(piece: Piece, name: []const u8) bool {
        return std.mem.eql(u8, piece.id, name) or std.mem.eql(u8, piece.file_name, name);
    }
};

pub fn run(context: *const Context) anyerror!u8 {
    if (!context.lift.hasParts()) report.fatal(
        context.lift.name,
        "{s} belongs to a permanent installation and contains no parts",
        .{context.executable.path},
    );
    const pieces = try choose(context, try allPieces(context));
    if (!context.options.dry_run) try writeAll(context, pieces);
    for (pieces) |piece| try context.out.print("{s}\n", .{piece.file_name});
    return 0;
}

fn allPieces(context: *const Context) ![]const Piece {
    const arena = context.arena;
    const built = try manifest.read(arena, context.executable.file, context.executable.payload_end);
    var pieces: std.ArrayList(Piece) = .empty;
    try pieces.append(arena, .{ .id = "launcher", .file_name = launcher_name, .content = .launcher });
    for (built.files) |part| {
        // The names of parts that are not the user's begin with a dot, which would hide the file.
        const stem = std.mem.trimLeft(u8, part.name, ".");
        if (stem.len == 0 or std.mem.indexOfAny(u8, stem, "/\\:\x00") != null) return error.CorruptManifest;
        const file_name = try std.mem.concat(arena, u8, &.{ stem, ".zip" });
        try pieces.append(arena, .{ .id = part.name, .file_name = file_name, .content = .{ .part = part } });
    }
    try pieces.append(arena, .{ .id = manifest_name, .file_name = manifest_name, .content = .manifest });
    return pieces.items;
}

/// The pieces that the user has named; all of them without names.
fn choose(context: *const Context, pieces: []const Piece) ![]const Piece {
    const names = context.options.names;
    if (names.len == 0) return pieces;
    for (names) |name| for (pieces) |piece| {
        if (piece.isCalled(name)) break;
    } else report.fatal(context.lift.name, "{s} has no part '{s}'\nhint: {s}=split {s} -n lists the parts", .{
        context.executable.path, name, context.lift.tools, context.executable.path,
    });
    var chosen: std.ArrayList(Piece) = .empty;
    for (pieces) |piece| for (names) |name| if (piece.isCalled(name)) {
        try chosen.append(context.arena, piece);
        break;
    };
    return chosen.items;
}

fn writeAll(context: *const Context, pieces: []const Piece) !void {
    const path = if (context.options.operands.len > 0) context.options.operands[0] else ".";
    try std.fs.cwd().makePath(path);
    var directory = try std.fs.cwd().openDir(path, .{});
    defer directory.close();
    for (pieces) |piece| if (file_status.atItself(directory, piece.file_name)) |_| {
        refuse(context, piece, error.PathAlreadyExists);
    } else |err| if (err != error.FileNotFound) refuse(context, piece, err);
    for (pieces) |piece| try write(context, directory, piece);
}

/// Writes a file, which gets its name once it is complete.
fn write(context: *const Context, directory: std.fs.Dir, piece: Piece) !void {
    const partial = try std.mem.concat(context.arena, u8, &.{ piece.file_name, ".partial" });
    directory.deleteFile(partial) catch |err| if (err != error.FileNotFound) refuse(context, piece, err);
    errdefer directory.deleteFile(partial) catch {};
    {
        const mode: std.fs.File.Mode = if (piece.content == .launcher) 0o755 else 0o644;
        const file = file_changes.create(directory, partial, if (builtin.os.tag == .windows) 0 else mode) catch |err|
            refuse(context, piece, err);
        defer file.close();
        try writePiece(context, file, piece);
    }
    file_changes.rename(directory, partial, directory, piece.file_name) catch |err| refuse(context, piece, err);
}

fn refuse(context: *const Context, piece: Piece, err: anyerror) noreturn {
    report.fatal(context.lift.name, "cannot write {s}: {s}", .{ piece.file_name, report.describe(err) });
}

fn writePiece(context: *const Context, file: std.fs.File, piece: Piece) !void {
    const executable = context.executable.file;
    switch (piece.content) {
        .launcher => {
            const document: Document = try .parse(context.arena, try documents.read(context));
            try launcher_file.copy(executable, file, document.scie.jump.size);
        },
        .part => |part| {
            const moved = try relocation.relocate(context.arena, executable, part.range());
            try file_changes.appendRange(executable, file, part.offset, moved.data_end - part.offset);
            try file.writeAll(moved.bytes);
        },
        .manifest => {
            try file.writeAll(try documents.read(context));
            try file.writeAll("\n");
        },
    }
}

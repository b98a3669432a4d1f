//! The tools of every scie, selected by an environment variable: `SCIE=inspect app`.
//!
//! The application does not see them. A start without a tool only looks up the variable.

const std = @import("std");
const builtin = @import("builtin");
const testing = std.testing;
const Allocator = std.mem.Allocator;
const command_list = @import("command_list.zig");
const Environment = @import("environment.zig").Environment;
const locate = @import("locate.zig");
const manifest = @import("manifest.zig");
const messages = @import("messages.zig");
const process = @import("process.zig");
const report = @import("report.zig");
const Context = @import("tools/context.zig").Context;
const Options = @import("tools/options.zig").Options;
const console = @import("windows_console.zig");

/// A tool returns the exit status, or a system error.
const Run = *const fn (context: *const Context) anyerror!u8;

pub const Tool = struct {
    name: []const u8,
    usage: []const u8 = "",
    summary: []const u8,
    accepts: Options.Accepted = .{},
    run: Run,
};

pub const all = [_]Tool{
    .{ .name = "help", .summary = "List the commands and the tools.", .run = help },
    .{
        .name = "inspect",
        .usage = " [--text | --json]",
        .summary = "Show the file's parts, commands and requirements. JSON by default, except on a terminal.",
        .accepts = .{ .json = true, .text = true },
        .run = @import("tools/inspect.zig").run,
    },
    .{
        .name = "list",
        .usage = " [--text | --json]",
        .summary = "List the commands that SCIE_BOOT selects from. Only names by default, except on a terminal.",
        .accepts = .{ .json = true, .text = true },
        .run = @import("tools/list.zig").run,
    },
    .{
        .name = "sbom",
        .usage = " [--json]",
        .summary = "Print the bill of materials, as CycloneDX JSON.",
        .accepts = .{ .json = true },
        .run = @import("tools/sbom.zig").run,
    },
    .{
        .name = "verify",
        .usage = " [--json]",
        .summary = "Check every digest of the file and, if it is installed, every installed file.",
        .accepts = .{ .json = true },
        .run = @import("tools/verify.zig").run,
    },
    .{
        .name = "install",
        .usage = " DIR | --symlink [DIR…] [--json]",
        .summary = "Install for all users into DIR, with one executable per command in DIR/bin; or write links to this file.",
        .accepts = .{ .json = true, .symlink = true, .operands_max = std.math.maxInt(usize) },
        .run = @import("tools/install.zig").run,
    },
    .{
        .name = "doctor",
        .usage = " [--json]",
        .summary = "Show which base directory a start uses and why, and what the host lacks.",
        .accepts = .{ .json = true },
        .run = @import("tools/doctor.zig").run,
    },
    .{
        .name = "cache",
        .usage = " [prune [--older-than DAYS] [--max-size MB]] [--json]",
        .summary = "Show the contents of the base directory, or remove what has not been used lately.",
        .accepts = .{ .json = true, .pruning = true, .operands_max = 1 },
        .run = @import("tools/cache.zig").run,
    },
    .{
        .name = "uninstall",
        .usage = " [--json]",
        .summary = "Remove what this file installed, except what other applications need.",
        .accepts = .{ .json = true },
        .run = @import("tools/uninstall.zig").run,
    },
    .{
        .name = "split",
        .usage = " [--dry-run] [DIR] [-- FILE…]",
        .summary = "Split the file: the launcher, a zip per part, the manifest as lift.json; or only what FILE names.",
        .accepts = .{ .dry_run = true, .names = true, .operands_max = 1 },
        .run = @import("tools/split.zig").run,
    },
};

/// Runs the tool that the environment selects, and exits. Returns if it selects none.
pub fn run(
    arena: Allocator,
    executable: locate.Executable,
    lift: manifest.Manifest,
    variables: Environment,
    arguments: []const [:0]const u8,
) error{OutOfMemory}!void {
    const word = chosenTool(lift.tools, variables) orelse return;
    _ = console.openOutput();
    var buffer: [4096]u8 = undefined;
    var stdout = std.fs.File.stdout().writerStreaming(&buffer);
    var context: Context = .{
        .arena = arena,
        .executable = executable,
        .lift = lift,
        .variables = variables,
        .options = .{},
        .out = &stdout.interface,
    };
    process.occupyStandardHandles();
    const tool = find(word) orelse {
        if (std.mem.eql(u8, word, packing_tool)) messages.noPacking(lift.name, word);
        // Other kinds of scies export their path, which may have no separator.
        if (std.fs.cwd().access(word, .{})) |_| return else |_| {}
        const names = comptime toolNames();
        messages.toolUnknown(lift, word, &names);
    };
    context.options = Options.parse(arena, tool.accepts, arguments) catch |err| switch (err) {
        error.OutOfMemory => return error.OutOfMemory,
        error.Usage => fatalUsage(lift, tool),
    };
    const status = tool.run(&context) catch |err| switch (err) {
        error.OutOfMemory => return error.OutOfMemory,
        error.Usage => fatalUsage(lift, tool),
        error.WriteFailed => report.fatal(lift.name, "cannot write: {s}", .{report.describe(stdout.err orelse err)}),
        else => report.fatal(lift.name, "{s}: {s}", .{ tool.name, report.describe(err) }),
    };
    stdout.interface.flush() catch |err|
        report.fatal(lift.name, "cannot write: {s}", .{report.describe(stdout.err orelse err)});
    std.process.exit(status);
}

/// The name of the selected tool. A path is inherited from a parent scie, and selects none.
fn chosenTool(variable: []const u8, variables: Environment) ?[]const u8 {
    if (variable.len == 0) return null;
    const word = variables.get(variable) orelse return null;
    const separators = if (builtin.os.tag == .windows) "/\\" else "/";
    return if (word.len == 0 or std.mem.indexOfAny(u8, word, separators) != null) null else word;
}

/// The tool of other scies that makes scies.
const packing_tool = "boot-pack";

fn toolNames() [all.len][]const u8 {
    var names: [all.len][]const u8 = undefined;
    for (all, &names) |tool, *name| name.* = tool.name;
    return names;
}

fn find(word: []const u8) ?Tool {
    for (all) |tool| if (std.mem.eql(u8, tool.name, word)) return tool;
    return null;
}

fn fatalUsage(lift: manifest.Manifest, tool: Tool) noreturn {
    report.fatal(lift.name, "invalid arguments\nusage: {s}={s} {s}{s}", .{
        lift.tools, tool.name, lift.name, tool.usage,
    });
}

fn help(context: *const Context) anyerror!u8 {
    const name = context.lift.name;
    const variable = context.lift.tools;
    try context.out.writeAll(name);
    if (context.lift.description) |description| try context.out.print(": {s}", .{description});
    try context.out.print("\n\nCommands, selected by SCIE_BOOT=COMMAND {s} …", .{name});
    try command_list.write(context.out, context.lift.boot.commands);
    try context.out.print("\n\nTools, selected by {s}=TOOL {s} …\n", .{ variable, name });
    for (all) |tool| {
        try context.out.print("  {s}{s}\n        {s}\n", .{ tool.name, tool.usage, tool.summary });
    }
    return 0;
}

fn environmentForTests(arena: Allocator, name: []const u8, value: []const u8) !Environment {
    var made = try @import("environment.zig").inherit(arena);
    made.remove(name);
    try made.put(name, value);
    return made;
}

test "a word selects a tool and a path selects none" {
    var arena: std.heap.ArenaAllocator = .init(testing.allocator);
    defer arena.deinit();
    const word = try environmentForTests(arena.allocator(), "SCIE", "inspect");
    try testing.expectEqualStrings("inspect", chosenTool("SCIE", word).?);
    try testing.expectEqual(null, chosenTool("MYTOOL", word));
    try testing.expectEqual(null, chosenTool("", word));
    for ([_][]const u8{ "/usr/bin/app", "gone/app", "" }) |value| {
        const inherited = try environmentForTests(arena.allocator(), "SCIE", value);
        try testing.expectEqual(null, chosenTool("SCIE", inherited));
    }
}

test "tools are found by their whole names" {
    try testing.expectEqualStrings("list", find("list").?.name);
    try testing.expectEqual(null, find("lis"));
    try testing.expectEqual(null, find(""));
}

test {
    _ = @import("tools/context.zig");
    _ = @import("tools/document.zig");
    _ = @import("tools/host.zig");
    _ = @import("tools/inventory.zig");
    _ = @import("tools/links.zig");
    _ = @import("tools/options.zig");
    _ = @import("tools/relocation.zig");
    _ = @import("tools/removal.zig");
    _ = @import("tools/processes.zig");
    _ = @import("tools/stub.zig");
    _ = @import("tools/resources.zig");
}

//! Builds the launcher: one static program with libzstd's decoder in it and no libc on Linux and Windows.
//!
//!     zig build -Dlibzstd=DIR -Dtarget=x86_64-linux-none -Doptimize=ReleaseSmall --prefix OUT
//!     zig build test -Dlibzstd=DIR
//!     zig build fuzz -Dlibzstd=DIR -- SECONDS [TARGET ...]
//!
//! DIR is the `lib` directory of zstd 1.5.7 (czscie's `launchers.libzstd` fetches it, pinned by hash).

const std = @import("std");

/// What a decoder needs of zstd's `lib` directory: no compressor, no dictionary builder, no legacy formats.
const decoder_sources = [_][]const u8{
    "common/debug.c",
    "common/entropy_common.c",
    "common/error_private.c",
    "common/fse_decompress.c",
    "common/xxhash.c",
    "common/zstd_common.c",
    "decompress/huf_decompress.c",
    "decompress/zstd_ddict.c",
    "decompress/zstd_decompress.c",
    "decompress/zstd_decompress_block.c",
};

const decoder_flags = [_][]const u8{
    "-std=c11",
    // Speed matters more than the last kilobytes: decoding is on the path of every cold start.
    "-O3",
    // Zig keeps one for profilers. Without it decoding is 3% faster.
    "-fomit-frame-pointer",
    "-fno-sanitize=undefined",
    "-DZSTD_LEGACY_SUPPORT=0",
    "-DZSTD_TRACE=0",
    // The variant that fetches ahead what it is about to copy: windows of 8 MiB are larger than the caches of a core.
    // Large entries decode 10% faster, groups of 4 MiB as fast as by the other one.
    "-DZSTD_FORCE_DECOMPRESS_SEQUENCES_LONG=1",
    "-DZSTDLIB_VISIBLE=",
    "-DZSTDERRORLIB_VISIBLE=",
    "-DXXH_NAMESPACE=ZSTD_",
    // emmintrin.h drags in a header that wants a libc's malloc.h; the decoder calls nothing of it.
    "-D__MM_MALLOC_H",
};

pub fn build(b: *std.Build) void {
    const target = b.standardTargetOptions(.{});
    const optimize = b.standardOptimizeOption(.{});
    const libzstd = b.option([]const u8, "libzstd", "the lib directory of zstd's source") orelse
        @panic("give -Dlibzstd=DIR, the lib directory of zstd's source");

    const launcher = b.addExecutable(.{
        .name = "launcher",
        .root_module = module(b, "src/main.zig", target, optimize, libzstd),
    });
    // Zig raises the stack's limit to what a program asks for, and the application would inherit that: ask for
    // nothing (`process.raiseStackLimit` looks at the limit).
    if (target.result.os.tag == .linux) launcher.stack_size = 0;
    // Room for the load command of a signature.
    if (target.result.os.tag == .macos) launcher.headerpad_size = 0x1000;
    b.installArtifact(launcher);

    const tests = b.addTest(.{ .root_module = module(b, "src/main.zig", target, optimize, libzstd) });
    b.step("test", "Run the launcher's unit tests").dependOn(&b.addRunArtifact(tests).step);

    const fuzzer = b.addExecutable(.{
        .name = "fuzz",
        .root_module = module(b, "src/fuzz.zig", target, .ReleaseSafe, libzstd),
    });
    const fuzz = b.addRunArtifact(fuzzer);
    fuzz.addDirectoryArg(b.path("corpus"));
    if (b.args) |arguments| fuzz.addArgs(arguments);
    b.step("fuzz", "Fuzz the launcher's parsers: -- SECONDS [TARGET ...]").dependOn(&fuzz.step);
}

fn module(
    b: *std.Build,
    source: []const u8,
    target: std.Build.ResolvedTarget,
    optimize: std.builtin.OptimizeMode,
    libzstd: []const u8,
) *std.Build.Module {
    const root = b.createModule(.{
        .root_source_file = b.path(source),
        .target = target,
        .optimize = optimize,
        .strip = optimize != .Debug,
    });
    const lib: std.Build.LazyPath = .{ .cwd_relative = libzstd };
    // Ahead of any libc's headers: all that the decoder wants of a libc is there or in Zig's compiler_rt.
    root.addIncludePath(b.path("libzstd"));
    root.addCSourceFiles(.{ .root = lib, .files = &decoder_sources, .flags = &decoder_flags });
    root.addCSourceFile(.{ .file = b.path("libzstd/memory.c"), .flags = &.{ "-std=c11", "-O3", "-fno-builtin" } });
    if (target.result.cpu.arch == .x86_64 and target.result.os.tag != .windows) {
        root.addAssemblyFile(lib.path(b, "decompress/huf_decompress_amd64.S"));
    } else {
        root.addCMacro("ZSTD_DISABLE_ASM", "1");
    }
    return root;
}

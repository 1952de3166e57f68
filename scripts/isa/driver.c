// A Vulkan driver in front of SwiftShader that compiles nothing. Dawn needs a working driver before it translates WGSL;
// of that driver only the SPIR-V is wanted, and compiling it for the CPU would take most of the time.
// A shader module is written to the file $ISA_SPIRV, which the caller names anew for each. Pipelines are empty handles: nothing may be dispatched.
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vulkan/vulkan.h>

typedef PFN_vkVoidFunction (*GetInstanceProcAddr)(VkInstance, const char *);
typedef PFN_vkVoidFunction (*GetPhysicalDeviceProcAddr)(VkInstance, const char *);
typedef VkResult (*Negotiate)(uint32_t *);

static PFN_vkCreateShaderModule createShaderModule;
static PFN_vkGetDeviceProcAddr getDeviceProcAddr;
static uint64_t pipelines = 0;

static void *symbol(const char *name) {
  static void *library = NULL;
  if (!library) library = dlopen(getenv("ISA_SWIFTSHADER"), RTLD_NOW | RTLD_LOCAL);
  if (!library) fprintf(stderr, "ISA_SWIFTSHADER: %s\n", dlerror());
  return library ? dlsym(library, name) : NULL;
}

static VkResult VKAPI_CALL ourCreateShaderModule(VkDevice device, const VkShaderModuleCreateInfo *info,
                                                 const VkAllocationCallbacks *allocator, VkShaderModule *module) {
  const char *path = getenv("ISA_SPIRV");
  FILE *file = path ? fopen(path, "wb") : NULL;
  if (!file || fwrite(info->pCode, 1, info->codeSize, file) != info->codeSize) return VK_ERROR_OUT_OF_HOST_MEMORY;
  fclose(file);
  return createShaderModule(device, info, allocator, module);
}

static VkResult VKAPI_CALL ourCreateComputePipelines(VkDevice device, VkPipelineCache cache, uint32_t count,
                                                     const VkComputePipelineCreateInfo *infos,
                                                     const VkAllocationCallbacks *allocator, VkPipeline *made) {
  for (uint32_t i = 0; i < count; i++) made[i] = (VkPipeline)(uintptr_t)++pipelines;
  return VK_SUCCESS;
}

static void VKAPI_CALL ourDestroyPipeline(VkDevice device, VkPipeline pipeline, const VkAllocationCallbacks *allocator) {}

static PFN_vkVoidFunction VKAPI_CALL ourGetDeviceProcAddr(VkDevice device, const char *name);

// What this driver answers itself; SwiftShader's own function is kept where it is called in turn.
static PFN_vkVoidFunction ours(const char *name, PFN_vkVoidFunction theirs) {
  if (!strcmp(name, "vkGetDeviceProcAddr")) {
    getDeviceProcAddr = (PFN_vkGetDeviceProcAddr)theirs;
    return (PFN_vkVoidFunction)ourGetDeviceProcAddr;
  }
  if (!strcmp(name, "vkCreateShaderModule")) {
    createShaderModule = (PFN_vkCreateShaderModule)theirs;
    return (PFN_vkVoidFunction)ourCreateShaderModule;
  }
  if (!strcmp(name, "vkCreateComputePipelines")) return (PFN_vkVoidFunction)ourCreateComputePipelines;
  if (!strcmp(name, "vkDestroyPipeline")) return (PFN_vkVoidFunction)ourDestroyPipeline;
  return theirs;
}

static PFN_vkVoidFunction VKAPI_CALL ourGetDeviceProcAddr(VkDevice device, const char *name) {
  return ours(name, getDeviceProcAddr(device, name));
}

VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL vk_icdGetInstanceProcAddr(VkInstance instance, const char *name) {
  GetInstanceProcAddr theirs = (GetInstanceProcAddr)symbol("vk_icdGetInstanceProcAddr");
  return theirs ? ours(name, theirs(instance, name)) : NULL;
}

VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL vk_icdGetPhysicalDeviceProcAddr(VkInstance instance, const char *name) {
  GetPhysicalDeviceProcAddr theirs = (GetPhysicalDeviceProcAddr)symbol("vk_icdGetPhysicalDeviceProcAddr");
  return theirs ? theirs(instance, name) : NULL;
}

VKAPI_ATTR VkResult VKAPI_CALL vk_icdNegotiateLoaderICDInterfaceVersion(uint32_t *version) {
  Negotiate theirs = (Negotiate)symbol("vk_icdNegotiateLoaderICDInterfaceVersion");
  return theirs ? theirs(version) : VK_ERROR_INCOMPATIBLE_DRIVER;
}

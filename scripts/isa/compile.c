// Compiles compute shaders on the Vulkan device it finds and prints what the driver says of each: its statistics and its
// assembly. The device may be one that is not there (RADV's null device): nothing is run.
//
// Each line of the input is a shader: the SPIR-V file, the entry point, then its bindings as a number and `u` (uniform
// buffer) or `s` (storage buffer), e.g. `7.spv main 0u 1s 2s`. For each it prints `=== FILE`, then lines of
// `NAME=VALUE`, then `--- Assembly` and the text; or `=== FILE` and `error=REASON`.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vulkan/vulkan.h>

#define MOST_BINDINGS 32
#define MOST_TEXTS 8
#define MOST_STATISTICS 64

static VkDevice device;
static PFN_vkGetPipelineExecutableStatisticsKHR getStatistics;
static PFN_vkGetPipelineExecutableInternalRepresentationsKHR getTexts;

static void require(VkResult result, const char *what) {
  if (result == VK_SUCCESS) return;
  fprintf(stderr, "%s: VkResult %d\n", what, result);
  exit(2);
}

static void openDevice(void) {
  VkApplicationInfo app = {.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO, .apiVersion = VK_API_VERSION_1_3};
  VkInstanceCreateInfo instanceInfo = {.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO, .pApplicationInfo = &app};
  VkInstance instance;
  require(vkCreateInstance(&instanceInfo, NULL, &instance), "vkCreateInstance");
  uint32_t count = 1;
  VkPhysicalDevice physical = VK_NULL_HANDLE;
  vkEnumeratePhysicalDevices(instance, &count, &physical);
  if (count == 0 || physical == VK_NULL_HANDLE) require(VK_ERROR_INITIALIZATION_FAILED, "no Vulkan device");
  VkPhysicalDeviceProperties properties;
  vkGetPhysicalDeviceProperties(physical, &properties);
  printf("device=%s\n", properties.deviceName);

  // All features that the device has, robust buffer access among them, as browsers ask for them.
  VkPhysicalDeviceVulkan13Features f13 = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_3_FEATURES};
  VkPhysicalDeviceVulkan12Features f12 = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES, .pNext = &f13};
  VkPhysicalDeviceVulkan11Features f11 = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_FEATURES, .pNext = &f12};
  VkPhysicalDeviceFeatures2 features = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2, .pNext = &f11};
  vkGetPhysicalDeviceFeatures2(physical, &features);
  VkPhysicalDevicePipelineExecutablePropertiesFeaturesKHR executables = {
      .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PIPELINE_EXECUTABLE_PROPERTIES_FEATURES_KHR,
      .pNext = &features,
      .pipelineExecutableInfo = VK_TRUE};
  float priority = 1;
  VkDeviceQueueCreateInfo queue = {
      .sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO, .queueCount = 1, .pQueuePriorities = &priority};
  const char *extension = VK_KHR_PIPELINE_EXECUTABLE_PROPERTIES_EXTENSION_NAME;
  VkDeviceCreateInfo deviceInfo = {.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
                                   .pNext = &executables,
                                   .queueCreateInfoCount = 1,
                                   .pQueueCreateInfos = &queue,
                                   .enabledExtensionCount = 1,
                                   .ppEnabledExtensionNames = &extension};
  require(vkCreateDevice(physical, &deviceInfo, NULL, &device), "vkCreateDevice");
  getStatistics = (PFN_vkGetPipelineExecutableStatisticsKHR)vkGetDeviceProcAddr(device, "vkGetPipelineExecutableStatisticsKHR");
  getTexts = (PFN_vkGetPipelineExecutableInternalRepresentationsKHR)vkGetDeviceProcAddr(
      device, "vkGetPipelineExecutableInternalRepresentationsKHR");
}

static VkShaderModule readModule(const char *path) {
  FILE *file = fopen(path, "rb");
  if (!file) return VK_NULL_HANDLE;
  fseek(file, 0, SEEK_END);
  size_t size = (size_t)ftell(file);
  rewind(file);
  uint32_t *code = malloc(size);
  size_t read = fread(code, 1, size, file);
  fclose(file);
  VkShaderModuleCreateInfo info = {.sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO, .codeSize = size, .pCode = code};
  VkShaderModule module = VK_NULL_HANDLE;
  if (read == size) vkCreateShaderModule(device, &info, NULL, &module);
  free(code);
  return module;
}

static VkPipelineLayout makeLayout(const VkDescriptorSetLayoutBinding *bindings, uint32_t count) {
  VkDescriptorSetLayoutCreateInfo setInfo = {
      .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO, .bindingCount = count, .pBindings = bindings};
  VkDescriptorSetLayout set;
  require(vkCreateDescriptorSetLayout(device, &setInfo, NULL, &set), "vkCreateDescriptorSetLayout");
  VkPushConstantRange constants = {.stageFlags = VK_SHADER_STAGE_COMPUTE_BIT, .size = 64};
  VkPipelineLayoutCreateInfo info = {.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
                                     .setLayoutCount = 1,
                                     .pSetLayouts = &set,
                                     .pushConstantRangeCount = 1,
                                     .pPushConstantRanges = &constants};
  VkPipelineLayout layout;
  require(vkCreatePipelineLayout(device, &info, NULL, &layout), "vkCreatePipelineLayout");
  return layout;
}

static void printStatistics(const VkPipelineExecutableInfoKHR *of) {
  VkPipelineExecutableStatisticKHR statistics[MOST_STATISTICS];
  for (int i = 0; i < MOST_STATISTICS; i++) {
    statistics[i] = (VkPipelineExecutableStatisticKHR){.sType = VK_STRUCTURE_TYPE_PIPELINE_EXECUTABLE_STATISTIC_KHR};
  }
  uint32_t count = MOST_STATISTICS;
  getStatistics(device, of, &count, statistics);
  for (uint32_t i = 0; i < count; i++) printf("%s=%llu\n", statistics[i].name, (unsigned long long)statistics[i].value.u64);
}

static void printAssembly(const VkPipelineExecutableInfoKHR *of) {
  VkPipelineExecutableInternalRepresentationKHR texts[MOST_TEXTS];
  for (int i = 0; i < MOST_TEXTS; i++) {
    texts[i] = (VkPipelineExecutableInternalRepresentationKHR){
        .sType = VK_STRUCTURE_TYPE_PIPELINE_EXECUTABLE_INTERNAL_REPRESENTATION_KHR};
  }
  uint32_t count = MOST_TEXTS;
  // First their lengths, then the texts.
  getTexts(device, of, &count, texts);
  for (uint32_t i = 0; i < count; i++) texts[i].pData = malloc(texts[i].dataSize + 1);
  getTexts(device, of, &count, texts);
  for (uint32_t i = 0; i < count; i++) {
    if (!strcmp(texts[i].name, "Assembly")) {
      printf("--- Assembly\n%.*s\n", (int)texts[i].dataSize, (char *)texts[i].pData);
    }
    free(texts[i].pData);
  }
}

static void compile(const char *path, const char *entry, const VkDescriptorSetLayoutBinding *bindings, uint32_t count) {
  VkShaderModule module = readModule(path);
  if (module == VK_NULL_HANDLE) {
    printf("error=no shader module\n");
    return;
  }
  VkComputePipelineCreateInfo info = {
      .sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
      .flags = VK_PIPELINE_CREATE_CAPTURE_STATISTICS_BIT_KHR | VK_PIPELINE_CREATE_CAPTURE_INTERNAL_REPRESENTATIONS_BIT_KHR,
      .stage = {.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
                .stage = VK_SHADER_STAGE_COMPUTE_BIT,
                .module = module,
                .pName = entry},
      .layout = makeLayout(bindings, count)};
  VkPipeline pipeline;
  VkResult result = vkCreateComputePipelines(device, VK_NULL_HANDLE, 1, &info, NULL, &pipeline);
  if (result != VK_SUCCESS) {
    printf("error=vkCreateComputePipelines: VkResult %d\n", result);
    return;
  }
  VkPipelineExecutableInfoKHR of = {.sType = VK_STRUCTURE_TYPE_PIPELINE_EXECUTABLE_INFO_KHR, .pipeline = pipeline};
  printStatistics(&of);
  printAssembly(&of);
  vkDestroyPipeline(device, pipeline, NULL);
  vkDestroyShaderModule(device, module, NULL);
}

int main(void) {
  openDevice();
  char line[8192];
  while (fgets(line, sizeof line, stdin)) {
    VkDescriptorSetLayoutBinding bindings[MOST_BINDINGS];
    uint32_t count = 0;
    const char *path = strtok(line, " \n");
    const char *entry = strtok(NULL, " \n");
    if (!path || !entry) continue;
    for (const char *word; (word = strtok(NULL, " \n")) && count < MOST_BINDINGS;) {
      char *kind;
      uint32_t slot = (uint32_t)strtoul(word, &kind, 10);
      bindings[count++] = (VkDescriptorSetLayoutBinding){
          .binding = slot,
          // WebGPU's uniform buffers at an offset that each dispatch gives
          .descriptorType = *kind == 'u' ? VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER_DYNAMIC : VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
          .descriptorCount = 1,
          .stageFlags = VK_SHADER_STAGE_COMPUTE_BIT};
    }
    printf("=== %s\n", path);
    // A driver that dies on a shader must not take what was said before with it.
    fflush(stdout);
    compile(path, entry, bindings, count);
    fflush(stdout);
  }
  return 0;
}

using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading.Tasks;
using Altinn.App.Logic;
using Altinn.App.Platform;
using Altinn.App.Security;

namespace Altinn.App.Forms
{
    /// <summary>What is still wrong with an instance before it may leave a task: its forms, and how many files it has.</summary>
    public class InstanceChecks
    {
        private readonly AppFiles files;
        private readonly StorageClient storage;

        public InstanceChecks(AppFiles files, StorageClient storage)
        {
            this.files = files;
            this.storage = storage;
        }

        public async Task<List<Issue>> Run(Caller caller, Instance instance, string task)
        {
            var issues = new List<Issue>();
            foreach (ApplicationMetadata.DataType type in ApplicationMetadata.Read(files).DataTypes.Where(type => type.TaskId == task))
            {
                List<DataElement> elements = instance.Data.Where(element => element.DataType == type.Id).ToList();
                issues.AddRange(new FileChecks(type).Count(elements.Count));
                foreach (DataElement element in elements)
                {
                    issues.AddRange(type.IsForm ? await Form(caller, instance, type, element) : File(element));
                }
            }

            return issues;
        }

        private async Task<IEnumerable<Issue>> Form(Caller caller, Instance instance, ApplicationMetadata.DataType type, DataElement element)
        {
            byte[] stored = await storage.Read(caller, InstanceId.Of(instance), Guid.Parse(element.Id));
            List<Issue> issues = FormLogic.Validate(FormType.Of(type).Read(stored, element.ContentType)).ToList();
            issues.ForEach(issue => issue.DataElementId = element.Id);
            return issues;
        }

        private static IEnumerable<Issue> File(DataElement element)
        {
            if (element.FileScanResult == "Infected")
            {
                yield return new Issue("DataElement", element.DataType, "file.infected")
                {
                    Code = "DataElementFileInfected",
                    Description = $"`{element.Filename}` holds a virus.",
                    DataElementId = element.Id,
                };
            }
        }
    }
}
